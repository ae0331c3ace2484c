import type { Point, WholeTrip } from '@hexhail/client';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { cornersOf, offsetBy, RideMap, type Camera, type Padding, type PositionSource, type RideMapProps, type Way } from '../../lib/map';
import { usePlanned } from '../../lib/trip/route';
import { useView } from '../../lib/session';
import { placeText } from '../../lib/trip/words';
import type { End } from './draft';
import type { Phase } from './phase';
import { useQuotedWay } from './quotes';
import { useDemo, type Plan } from './usePlan';

interface Props {
  readonly phase: Phase;
  readonly plan: Plan;
  /** Where the driver is, moving. */
  readonly positions: PositionSource;
  /** Where the driver is as of the last message, for the way that is left. */
  readonly driverAt: Point | undefined;
  readonly padding: Padding;
}

/** The rider's map: the plan while there is one, and then the trip. */
export function RiderMap({ phase, plan, positions, driverAt, padding }: Props) {
  const { t } = useTranslation('rider');
  const planning = phase.name === 'planning' || phase.name === 'asking' || phase.name === 'loading';
  const ends = useEnds(phase, plan);
  const cells = useServerConfig().data;
  const planned = usePlanned(useView().route);
  const driven = (phase.name === 'coming' || phase.name === 'riding') && planned?.route.trip_id === phase.trip.id ? planned.way : null;
  const quoted = useQuotedWay(...(hasAhead(phase) ? [ends.pickup?.point, ends.dropoff?.point] as const : [undefined, undefined] as const));
  const way = planning ? quoted : driven;
  const camera = useCameraOf(phase, way, ends.pickup?.point, ends.dropoff?.point, positions, driverAt !== undefined, cells?.cell_ring_m ?? 0);
  const picking = phase.name === 'planning' ? plan.target : null;
  const choose = (point: Point, end?: End) => plan.choose({ point, address: '' }, end);
  const movable = phase.name === 'planning';
  const simulated = useDemo() !== undefined;
  return (
    <RideMap
      label={t('map')} padding={padding}
      {...(camera ? { camera } : {})}
      pickup={ends.pickup && (movable ? { ...ends.pickup, onMove: (p) => choose(p, 'pickup') } : ends.pickup)}
      dropoff={ends.dropoff && (movable ? { ...ends.dropoff, onMove: (p) => choose(p, 'dropoff') } : ends.dropoff)}
      driver={hasCar(phase) ? { positions, label: phase.trip.driver?.plate ?? '', simulated } : null}
      way={way} {...waysOf(phase, planning, way !== null, quoted, ends.pickup?.point, ends.dropoff?.point, driverAt)}
      searchRings={phase.name === 'searching' && cells
        ? { center: phase.trip.pickup, rings: phase.trip.search?.ring ?? 0, resolution: cells.h3_resolution } : null}
      {...(picking ? { picking, onPick: (p: Point) => choose(p) } : {})}
    />
  );
}

type WithCar = Phase & { name: 'coming' | 'arrived' | 'riding'; trip: WholeTrip };
/** Whether the ride itself is yet to come. */
const hasAhead = ({ name }: Phase): boolean => name !== 'loading' && name !== 'riding' && name !== 'ended';
const hasCar = (phase: Phase): phase is WithCar => phase.name === 'coming' || phase.name === 'arrived' || phase.name === 'riding';

/** The pins, each named by its address. */
function useEnds(phase: Phase, plan: Plan) {
  const { t } = useTranslation('trips');
  const trip = 'trip' in phase ? phase.trip : null;
  const place = (point: Point | undefined, address: string) => (point ? { point, label: placeText(t, point, address) } : null);
  if (trip) return { pickup: place(trip.pickup, trip.pickup_address), dropoff: place(trip.dropoff, trip.dropoff_address) };
  const { pickup, dropoff } = plan.draft;
  return { pickup: place(pickup?.point, pickup?.address ?? ''), dropoff: place(dropoff?.point, dropoff?.address ?? '') };
}

/** What is kept in view: the same object until that changes, because a new one moves the map. */
function useCameraOf(
  phase: Phase, way: Way | null, pickup: Point | undefined, dropoff: Point | undefined, positions: PositionSource, known: boolean, cellRingM: number,
): Camera | null {
  const { name } = phase;
  const moving = hasCar(phase) && known;
  const ring = phase.name === 'searching' ? (phase.trip.search?.ring ?? 0) : 0;
  // Nearer once there is a car to look at, which also makes the camera look at it at once.
  const maxZoom = moving ? 16 : 15;
  return useMemo(() => {
    const around = way ? cornersOf(way) : [];
    switch (name) {
      case 'searching':
        return pickup ? { points: ringAround(pickup, (ring + 0.8) * cellRingM), maxZoom: 15 } : null;
      case 'coming':
      case 'arrived':
        return pickup ? { points: [pickup, ...around], with: positions, maxZoom } : null;
      case 'riding':
        return dropoff ? { points: [dropoff, ...around], with: positions, maxZoom } : null;
      default: {
        const points = [pickup, dropoff, ...around].filter((p) => p !== undefined);
        return points.length > 0 ? { points, maxZoom: 14.5 } : null;
      }
    }
    // The trip's points are new objects with each of its versions, and mostly the same places.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [name, ring, way, pickup?.lat, pickup?.lng, dropoff?.lat, dropoff?.lng, positions, maxZoom, cellRingM]);
}

/** The corners of what is searched, with a little room. */
function ringAround(center: Point, reachM: number): Point[] {
  return [0, 90, 180, 270].map((bearing) => offsetBy(center, reachM, bearing));
}

/** What is left to drive, straight unless the way along the streets is known, and fainter the rest of the trip. */
function waysOf(
  phase: Phase, planning: boolean, along: boolean, quoted: Way | null, pickup?: Point, dropoff?: Point, car?: Point,
): Pick<RideMapProps, 'route' | 'nextRoute'> {
  const straight = pickup && dropoff ? [pickup, dropoff] : null;
  const whole = quoted?.points ?? straight;
  switch (phase.name) {
    case 'coming':
      return { route: car && pickup ? [car, pickup] : null, nextRoute: whole };
    case 'riding':
      return { route: car && dropoff ? [car, dropoff] : straight, nextRoute: car && !along ? straight : null };
    case 'arrived':
      return { nextRoute: whole };
    default:
      return planning || phase.name === 'ended' ? { route: straight } : { nextRoute: whole };
  }
}
