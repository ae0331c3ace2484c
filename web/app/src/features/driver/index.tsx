import type { OpenOffer, View, WholeTrip } from '@hexhail/client';
import { Badge, Divider, Group, Stack, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconDeviceMobileOff, IconSteeringWheel } from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { cornersOf, createPositionStore, MapPage, MapPageSkeleton, offsetBy, RideMap, type Camera, type LatLng, type Padding, type PositionStore, type Way } from '../../lib/map';
import { useSession, useView } from '../../lib/session';
import { usePlanned, type Planned } from '../../lib/trip/route';
import { ofNewerServer } from '../../lib/trip/status';
import { usePageTitle } from '../../lib/usePageTitle';
import { Approval, ApprovedNotice, useApproval } from './Approval';
import classes from './driver.module.css';
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
import { useIsThere } from './trip/useIsThere';
import { useDriving, type Driving } from './turns/useDriving';
import { useDriverServer, type DriverServer } from './useServer';
import { useWakeLock } from './useWakeLock';

const Turns = lazy(() => import('./turns/Turns'));

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
  const planned = usePlanned(view.route);
  const under = trip?.status === 'arrived' ? null : planned;
  const [choice, setChoice] = useState(() => readChoice(demo, mayPretend));
  const choose = (next: DriveChoice) => {
    if (next.source === 'simulated' && !mayPretend) return;
    keepChoice(next);
    setChoice(next);
  };
  const [store] = useState(() => createPositionStore());
  const feed = useFeed({
    session, store, source: choice.source, pace: choice.pace, live: view.online || trip !== undefined,
    target: targetOf(trip), way: under?.way ?? null, onTrip: trip !== undefined, start: demo?.stands?.[0]?.place ?? demo?.city.center,
  });
  const mapped = useServerConfig().data?.map.streets !== undefined;
  const screen = useWakeLock(view.online || trip !== undefined);
  const deck = useDeck(view.openOffers);
  const { offers, current } = deck;
  const simulated = choice.source === 'simulated';
  const driving = useDriving((under?.way ?? null) !== null);
  const there = useIsThere(store, targetOf(trip));
  // While the turns matter the map has the room; at the goal the sheet is.
  const way = under?.way ?? null;
  const navigating = way !== null && !there;
  const { ref: banner, height: bannerPx } = useElementSize<HTMLDivElement>();
  const placing = simulated && !view.online && !trip ? feed.placeAt : undefined;

  return (
    <MapPage label={t('title')} step={navigating ? 'small' : 'fit'} {...(navigating ? { smallPx: 166 } : {})} stepKey={trip ? `${trip.id} ${trip.status} ${navigating ? 'on the way' : 'there'}` : offers.length > 0 ? 'offers' : view.online ? 'online' : 'offline'}
      map={(padding) => (
        <>
          <DriverMap trip={trip} way={way} offers={offers} current={current} store={store} padding={below(padding, bannerPx)} simulated={simulated} driving={driving} onPick={placing} />
          <div className={classes.over} style={{ left: padding.left ?? 0 }}>
            <div ref={banner}>
              {under && <Suspense fallback={null}><Turns planned={under} positions={store} mapped={mapped} /></Suspense>}
            </div>
            {simulated && (
              <Badge size="lg" color="dark" variant="filled" tt="none" leftSection={<IconSteeringWheel size={14} aria-hidden="true" />}>
                {t('source.badge', { n: choice.pace })}
              </Badge>
            )}
          </div>
        </>
      )}>
      <Stack gap="md">
        <Contents view={view} planned={under} session={session} store={store} deck={deck} demo={demo !== undefined} mayPretend={mayPretend} feed={feed} choice={choice} choose={choose}
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
  readonly planned: Planned | null;
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
function Contents({ view, planned, session, store, deck, demo, mayPretend, feed, choice, choose, paces, dark }: ContentsProps) {
  const [seen, setSeen] = useState<string>();
  const trip = view.activeTrip;
  const approval = useApproval();
  const ended = view.lastEnded && view.lastEnded.id !== seen ? view.lastEnded : undefined;
  if (trip) {
    return (
      <>
        <TripPanel key={trip.id} session={session} trip={trip} planned={planned} positions={store} demo={demo} />
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

/** What the map shows is not under the banner. */
function below(padding: Padding, bannerPx: number): Padding {
  return bannerPx > 0 ? { ...padding, top: bannerPx + 12 } : padding;
}

interface DriverMapProps {
  readonly trip: WholeTrip | undefined;
  /** The planned way to where the driver has to go. */
  readonly way: Way | null;
  readonly offers: readonly OpenOffer[];
  /** The one that the driver looks at. */
  readonly current: OpenOffer | undefined;
  readonly store: PositionStore;
  readonly padding: Padding;
  readonly simulated: boolean;
  readonly driving: Driving;
  readonly onPick: ((point: LatLng) => void) | undefined;
}

function DriverMap({ trip, way, offers, current, store, padding, simulated, driving, onPick }: DriverMapProps) {
  const { t } = useTranslation('driver');
  const status = trip?.status;
  const [pickup, dropoff] = [trip?.pickup, trip?.dropoff];
  const camera = useMemo((): Camera => {
    const around = way ? cornersOf(way) : [];
    if (status === 'in_progress' && dropoff) return { points: [dropoff, ...around], with: store, drive: driving.on };
    if (pickup) return { points: [pickup, ...around], with: store, maxZoom: status === 'arrived' ? 15 : 15.5, drive: driving.on };
    if (current) return { points: [0, 90, 180, 270].map((b) => offsetBy(current.pickup_area, current.pickup_radius_m, b)), with: store };
    return { with: store, maxZoom: 15 };
  }, [status, pickup, dropoff, way, driving.on, current, store]);
  const route = useMemo(() => (status === 'in_progress' ? dropoff && [dropoff] : status === 'matched' && pickup ? [pickup] : undefined), [status, pickup, dropoff]);
  const next = useMemo(() => (status !== 'in_progress' && pickup && dropoff ? [pickup, dropoff] : null), [status, pickup, dropoff]);
  const areas = useMemo(() => offers.map((o) => ({ id: o.id, center: o.pickup_area, radiusM: o.pickup_radius_m, strong: o.id === current?.id })), [offers, current?.id]);
  return (
    <RideMap label={t('map')} camera={camera} padding={padding}
      driver={{ positions: store, label: t('yourCar'), simulated }}
      pickup={pickup && status !== 'in_progress' ? { point: pickup, ...(trip?.pickup_address ? { label: trip.pickup_address } : {}) } : null}
      dropoff={dropoff ? { point: dropoff, ...(trip?.dropoff_address ? { label: trip.dropoff_address } : {}) } : null}
      way={way} route={route ?? null} routeFrom={store} nextRoute={next} areas={trip ? [] : areas}
      {...(way ? { onDrive: driving.choose } : {})} {...(onPick ? { onPick } : {})} />
  );
}
