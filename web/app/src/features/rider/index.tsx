import { Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { createPositionStore, MapPage, type SheetStep } from '../../lib/map';
import { useAccount } from '../../api/auth';
import { latestTrips } from '../../api/queries';
import { useServerNow } from '../../lib/clock';
import { timeOfDay } from '../../lib/format';
import { useConnectionState, usePendingRequests, useSession, useView } from '../../lib/session';
import { usePageTitle } from '../../lib/usePageTitle';
import { useFreshTrips } from '../../lib/trip/useFreshTrips';
import { emptyDraft, isWhole } from './draft';
import { EndPanel } from './EndPanel';
import { useMemory, type Remembered } from './memory';
import { choosePhase, sheetKey, type Phase } from './phase';
import { PlanPanel } from './PlanPanel';
import classes from './rider.module.css';
import { RiderMap } from './RiderMap';
import { AskingPanel, SearchPanel } from './SearchPanel';
import { useStaleSince } from './time';
import { PickupPanel, RidePanel } from './TripPanel';
import { useAsk, type Asking } from './useAsk';
import { usePlan, type Plan } from './usePlan';

/** The rider's one live screen: it plans a ride, asks for it, and follows it to its end. */
export default function RiderPage() {
  const { t } = useTranslation('rider');
  useFreshTrips();
  const account = useAccount();
  const [remembered, remember] = useMemory(account?.id ?? '');
  const phase = usePhase(remembered);
  const plan = usePlan(remembered, remember);
  const asking = useAsk();
  const position = useView().driverPosition;
  const positions = usePositions();
  useRemembering(phase, remembered, remember);
  usePageTitle(t(`title.${phase.name}`));

  return (
    <MapPage
      label={t('panel')} step={phase.name === 'planning' ? planningStep(plan) : 'fit'} stepKey={sheetKey(phase, isWhole(plan.draft))}
      map={(padding) => <RiderMap phase={phase} plan={plan} positions={positions} driverAt={position?.point} padding={padding} />}
    >
      <Panel phase={phase} plan={plan} asking={asking} onDismiss={(id) => remember({ dismissed: id })} />
    </MapPage>
  );
}

/** Who types needs room for what is found; who taps the map wants to see it. */
function planningStep(plan: Plan): SheetStep {
  if (plan.typing) return 'full';
  return plan.aimed ? 'small' : 'fit';
}

function usePhase(remembered: Remembered): Phase {
  const view = useView();
  const connection = useConnectionState();
  const pending = usePendingRequests();
  const latest = useQuery(latestTrips);
  const now = useServerNow(useSession(), 60_000);
  const newest = latest.isPending ? undefined : (latest.data?.[0] ?? null);
  return useMemo(
    () => choosePhase({ view, connection, pending, latest: newest, remembered, now }),
    [view, connection, pending, newest, remembered, now],
  );
}

/** Notes that a trip has a driver, and that the plan has become a trip. */
function useRemembering(phase: Phase, remembered: Remembered, remember: (change: Partial<Remembered>) => void): void {
  const id = 'trip' in phase && phase.name !== 'ended' ? phase.trip.id : undefined;
  const driven = phase.name === 'coming' || phase.name === 'arrived';
  useEffect(() => {
    if (id !== undefined && driven && remembered.driverOf !== id) remember({ driverOf: id });
    if (id !== undefined && remembered.draft && remembered.draft !== emptyDraft) remember({ draft: emptyDraft });
  }, [id, driven, remembered, remember]);
}

/** The driver's position for the map, which moves the car without rendering the page. */
function usePositions() {
  const { driverPosition } = useView();
  const [store] = useState(createPositionStore);
  useEffect(() => {
    store.set(driverPosition ? { ...driverPosition.point, headingDeg: driverPosition.heading_deg } : null);
  }, [store, driverPosition]);
  return store;
}

interface PanelProps {
  readonly phase: Phase;
  readonly plan: Plan;
  readonly asking: Asking;
  readonly onDismiss: (id: string) => void;
}

function Panel(props: PanelProps) {
  const { phase } = props;
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that had the keyboard's focus may be gone with its phase.
    if (document.activeElement === document.body) ref.current?.focus({ preventScroll: true });
  }, [phase.name]);
  return (
    <div ref={ref} tabIndex={-1} style={{ outline: 'none' }}>
      {phase.name !== 'planning' && phase.name !== 'ended' && <Stale />}
      <PhasePanel {...props} />
    </div>
  );
}

function PhasePanel({ phase, plan, asking, onDismiss }: PanelProps) {
  const view = useView();
  const connected = useConnectionState().status === 'connected';
  switch (phase.name) {
    case 'loading':
      return <Loading />;
    case 'planning':
      return <PlanPanel plan={plan} asking={asking} />;
    case 'asking':
      return <AskingPanel asking={asking} connected={connected} />;
    case 'searching':
      return <SearchPanel key={phase.trip.id} trip={phase.trip} again={phase.again} />;
    case 'coming':
    case 'arrived':
      return <PickupPanel key={phase.trip.id} trip={phase.trip} position={view.driverPosition} />;
    case 'riding':
      return <RidePanel key={phase.trip.id} trip={phase.trip} position={view.driverPosition} />;
    case 'ended':
      return <EndPanel key={phase.trip.id} trip={phase.trip} plan={plan} asking={asking} onDismiss={() => onDismiss(phase.trip.id)} />;
  }
}

/** Says since when what is shown may be out of date. */
function Stale() {
  const { t } = useTranslation('rider');
  const since = useStaleSince(useConnectionState(), useServerNow(useSession()));
  if (since === null) return null;
  return <Text size="sm" className={classes.warn} mb="xs" role="status">{t('stale', { time: timeOfDay(new Date(since)) })}</Text>;
}

function Loading() {
  const { t } = useTranslation('rider');
  return (
    <Stack gap="sm" role="status" aria-label={t('title.loading')}>
      <Skeleton height={26} width="60%" />
      <Skeleton height={54} />
      <Skeleton height={54} />
    </Stack>
  );
}
