import type { OpenOffer, View, WholeTrip } from '@hexhail/client';
import { Badge, Divider, Group, Stack, Text } from '@mantine/core';
import { IconDeviceMobileOff, IconSteeringWheel } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { createPositionStore, MapPage, MapPageSkeleton, offsetBy, RideMap, type Camera, type LatLng, type Padding, type PositionStore } from '../../lib/map';
import { useSession, useView } from '../../lib/session';
import { ofNewerServer } from '../../lib/trip/status';
import { usePageTitle } from '../../lib/usePageTitle';
import { Approval, ApprovedNotice, useApproval } from './Approval';
import { Duty, Pace } from './Duty';
import { OfferCaller } from './offers/OfferCaller';
import { LostOffers } from './offers/LostOffers';
import { OfferStack } from './offers/OfferStack';
import { useDeck, type Deck } from './offers/useDeck';
import { keepChoice, pacesFor, readChoice, type DriveChoice } from './position/choice';
import { useFeed, type Feed } from './position/useFeed';
import { Sending } from './Sending';
import { Today } from './today/Today';
import { Ended } from './trip/Ended';
import { TripPanel } from './trip/TripPanel';
import { useDriverServer, type DriverServer } from './useServer';
import { useWakeLock } from './useWakeLock';

/** The driver's live screen. */
export default function DriverPage() {
  const { t } = useTranslation('driver');
  usePageTitle(t('title'));
  const server = useDriverServer();
  // What can be chosen, and what is chosen at first, depends on the server.
  if (!server.known) return <MapPageSkeleton />;
  return <Drive server={server} />;
}

/** Where the driver has to go now; null without a trip, and while waiting at the pickup. */
function targetOf(trip: WholeTrip | undefined): LatLng | null {
  if (!trip) return null;
  switch (trip.status) {
    case 'matched':
    case 'arrived':
      return trip.pickup;
    case 'in_progress':
      return trip.dropoff;
    case 'requested':
    case 'completed':
    case 'cancelled':
    case 'expired':
    case 'status_unspecified':
      return null;
    default:
      return ofNewerServer(trip.status, null);
  }
}

function Drive({ server: { demo, simulated: mayPretend } }: { server: DriverServer }) {
  const { t } = useTranslation('driver');
  const session = useSession();
  const view = useView();
  const trip = view.activeTrip;
  const [choice, setChoice] = useState(() => readChoice(demo, mayPretend));
  const choose = (next: DriveChoice) => {
    if (next.source === 'simulated' && !mayPretend) return;
    keepChoice(next);
    setChoice(next);
  };
  const [store] = useState(() => createPositionStore());
  const feed = useFeed({
    session, store, source: choice.source, pace: choice.pace, live: view.online || trip !== undefined,
    target: targetOf(trip), onTrip: trip !== undefined, start: demo?.stands?.[0]?.place ?? demo?.city.center,
  });
  const screen = useWakeLock(view.online || trip !== undefined);
  const deck = useDeck(view.openOffers);
  const { offers, current } = deck;
  const simulated = choice.source === 'simulated';
  const placing = simulated && !view.online && !trip ? feed.placeAt : undefined;

  return (
    <MapPage label={t('title')} stepKey={trip ? `${trip.id} ${trip.status}` : offers.length > 0 ? 'offers' : view.online ? 'online' : 'offline'}
      map={(padding) => (
        <>
          <DriverMap trip={trip} offers={offers} current={current} store={store} padding={padding} simulated={simulated} onPick={placing} />
          {simulated && (
            <Badge pos="absolute" top={14} left={(padding.left ?? 0) + 14} style={{ zIndex: 1 }} size="lg" color="dark" variant="filled" tt="none"
              leftSection={<IconSteeringWheel size={14} aria-hidden="true" />}>
              {t('source.badge', { n: choice.pace })}
            </Badge>
          )}
        </>
      )}>
      <Stack gap="md">
        <Contents view={view} session={session} store={store} deck={deck} demo={demo !== undefined} mayPretend={mayPretend} feed={feed} choice={choice} choose={choose}
          paces={pacesFor(demo)} dark={screen === 'impossible'} />
        <Sending />
      </Stack>
    </MapPage>
  );
}

/** Without it a phone falls asleep between two requests, and the driver with it goes offline. */
function ScreenHint() {
  const { t } = useTranslation('driver');
  return (
    <Group gap={8} wrap="nowrap" c="dimmed" role="status">
      <IconDeviceMobileOff size={18} aria-hidden="true" style={{ flex: 'none' }} />
      <Text size="sm">{t('duty.screenOff')}</Text>
    </Group>
  );
}

interface ContentsProps {
  readonly view: View;
  readonly session: ReturnType<typeof useSession>;
  readonly store: PositionStore;
  readonly deck: Deck;
  readonly demo: boolean;
  /** Whether the server allows a simulated car. */
  readonly mayPretend: boolean;
  readonly feed: Feed;
  readonly choice: DriveChoice;
  readonly choose: (choice: DriveChoice) => void;
  readonly paces: readonly number[];
  /** Whether the screen may turn off. */
  readonly dark: boolean;
}

/** What the sheet shows: the trip; or what became of it, offers, and the driver's day. */
function Contents({ view, session, store, deck, demo, mayPretend, feed, choice, choose, paces, dark }: ContentsProps) {
  const [seen, setSeen] = useState<string>();
  const trip = view.activeTrip;
  const approval = useApproval();
  const ended = view.lastEnded && view.lastEnded.id !== seen ? view.lastEnded : undefined;
  if (trip) {
    return (
      <>
        <TripPanel key={trip.id} session={session} trip={trip} positions={store} demo={demo} />
        {choice.source === 'simulated' && <Pace choice={choice} choose={choose} paces={paces} />}
        {dark && <ScreenHint />}
      </>
    );
  }
  return (
    <>
      <OfferCaller />
      <OfferStack session={session} deck={deck} positions={store} />
      <LostOffers />
      {ended && <Ended session={session} trip={ended} done={() => setSeen(ended.id)} />}
      {(ended ?? deck.current) && <Divider />}
      <ApprovedNotice />
      {approval && approval.state !== 'approved'
        ? <Approval decision={approval} />
        : <Duty session={session} online={view.online} choice={choice} choose={choose} paces={paces} feed={feed} simulated={mayPretend} open={deck.offers.length} />}
      {dark && <ScreenHint />}
      <Divider />
      <Today />
    </>
  );
}

interface DriverMapProps {
  readonly trip: WholeTrip | undefined;
  readonly offers: readonly OpenOffer[];
  /** The one that the driver looks at. */
  readonly current: OpenOffer | undefined;
  readonly store: PositionStore;
  readonly padding: Padding;
  readonly simulated: boolean;
  readonly onPick: ((point: LatLng) => void) | undefined;
}

function DriverMap({ trip, offers, current, store, padding, simulated, onPick }: DriverMapProps) {
  const { t } = useTranslation('driver');
  const status = trip?.status;
  const [pickup, dropoff] = [trip?.pickup, trip?.dropoff];
  const camera = useMemo((): Camera => {
    if (status === 'in_progress' && dropoff) return { points: [dropoff], with: store };
    if (pickup) return { points: [pickup], with: store, maxZoom: status === 'arrived' ? 15 : 15.5 };
    if (current) return { points: [0, 90, 180, 270].map((b) => offsetBy(current.pickup_area, current.pickup_radius_m, b)), with: store };
    return { with: store, maxZoom: 15 };
  }, [status, pickup, dropoff, current, store]);
  const route = useMemo(() => (status === 'in_progress' ? dropoff && [dropoff] : status === 'matched' && pickup ? [pickup] : undefined), [status, pickup, dropoff]);
  const next = useMemo(() => (status !== 'in_progress' && pickup && dropoff ? [pickup, dropoff] : null), [status, pickup, dropoff]);
  const areas = useMemo(() => offers.map((o) => ({ id: o.id, center: o.pickup_area, radiusM: o.pickup_radius_m, strong: o.id === current?.id })), [offers, current?.id]);
  return (
    <RideMap label={t('map')} camera={camera} padding={padding}
      driver={{ positions: store, label: t('yourCar'), simulated }}
      pickup={pickup && status !== 'in_progress' ? { point: pickup, ...(trip?.pickup_address ? { label: trip.pickup_address } : {}) } : null}
      dropoff={dropoff ? { point: dropoff, ...(trip?.dropoff_address ? { label: trip.dropoff_address } : {}) } : null}
      route={route ?? null} routeFrom={store} nextRoute={next} areas={trip ? [] : areas}
      {...(onPick ? { onPick } : {})} />
  );
}
