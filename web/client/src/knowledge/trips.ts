import type { DriverMoved, Exchange, Trip, TripRoute, TripStatus } from '../gen/messages.js';
import type { WholeTrip } from '../view.js';
import { remember, unchanged, without, withView, type Change, type Knowledge, type Step } from './knowledge.js';

/** Where a trip was reported: in an event, in one that is replayed, in a reply, or in the snapshot of `connected`. */
export type Source = 'event' | 'replay' | 'reply' | 'snapshot';

const mostVersions = 64;

const ended: readonly TripStatus[] = ['completed', 'cancelled', 'expired'];

const isWhole = (trip: Trip): trip is WholeTrip =>
  trip.pickup !== undefined && trip.dropoff !== undefined && trip.estimate !== undefined && trip.requested_at !== undefined;

const withoutPosition = (knowledge: Knowledge): Knowledge => ({ ...knowledge, view: without(knowledge.view, 'driverPosition') });
const withoutRoute = (knowledge: Knowledge): Knowledge => ({ ...knowledge, view: without(knowledge.view, 'route') });
const withoutTrip = (knowledge: Knowledge): Knowledge =>
  withoutRoute(withoutPosition({ ...knowledge, view: without(knowledge.view, 'activeTrip') }));

/** Whether this client has heard of the trip. */
export const isKnown = (knowledge: Knowledge, tripId: string): boolean => knowledge.versions.has(tripId);

/** Takes a trip as an event, a reply or a snapshot tells it, unless as new a one is known. */
export function takeTrip(before: Knowledge, trip: Trip, change: string, source: Source, exchange?: Exchange): Step {
  if (trip.version <= (before.versions.get(trip.id) ?? 0)) return unchanged(before);
  const knowledge = { ...before, versions: remember(before.versions, trip.id, trip.version, mostVersions) };
  if (change === 'released' && before.role === 'driver') return release(knowledge, trip.id, exchange);
  if (ended.includes(trip.status)) return end(knowledge, trip, change);
  if (!isWhole(trip)) return unchanged(knowledge);
  return activate(knowledge, trip, change, source, exchange);
}

/** Takes the active trip of a snapshot, or that there is none. */
export function takeSnapshotTrip(before: Knowledge, trip: Trip | undefined): Step {
  const known = before.view.activeTrip;
  let knowledge = before;
  if (known && known.id !== trip?.id) knowledge = { ...withoutTrip(before), lostTrip: known };
  if (!trip) return unchanged(knowledge);
  return takeTrip(knowledge, trip, changeTo(trip, known?.id === trip.id ? known : undefined), 'snapshot');
}

/** Reports a trip that went away without news of how it ended. */
export function settleTrip(knowledge: Knowledge): Step {
  const { lostTrip } = knowledge;
  if (!lostTrip) return unchanged(knowledge);
  return { knowledge: without(knowledge, 'lostTrip'), changes: [{ name: 'tripGone', event: { trip: lostTrip, why: 'unknown' } }] };
}

/** How much older than the last one a position may be and still be late, in milliseconds. Beyond that the last one's time was wrong. */
const mostLateMs = 5_000;

export function takeDriverMoved(knowledge: Knowledge, moved: DriverMoved): Step {
  const { activeTrip, driverPosition } = knowledge.view;
  if (activeTrip?.id !== moved.trip_id || !activeTrip.driver) return unchanged(knowledge);
  const late = driverPosition ? timeOf(driverPosition.device_time) - timeOf(moved.device_time) : 0;
  if (late > 0 && late <= mostLateMs) return unchanged(knowledge);
  return { knowledge: withView(knowledge, { driverPosition: moved }), changes: [{ name: 'driverMoved', event: moved }] };
}

/** Whether a trip is on the leg that a route is of. */
const isOn = (trip: Trip | undefined, { trip_id, leg }: TripRoute): boolean =>
  trip?.id === trip_id && (trip.status === 'in_progress' ? leg === 'ride' : leg === 'pickup' && drivenTo.includes(trip.status));

const drivenTo: readonly TripStatus[] = ['matched', 'arrived'];

/** Takes a route that replaces the one before, unless it is older. */
export function takeRoute(knowledge: Knowledge, route: TripRoute): Step {
  const { activeTrip, route: known } = knowledge.view;
  if (!isOn(activeTrip, route) || (known && known.revision >= route.revision)) return unchanged(knowledge);
  return { knowledge: withView(knowledge, { route }), changes: [{ name: 'route', event: route }] };
}

/** Takes the route of a snapshot. Without one, the one that is known stays: the next is on its way. */
export function takeSnapshotRoute(knowledge: Knowledge, route: TripRoute | undefined): Step {
  const { activeTrip, route: known } = knowledge.view;
  if (!route || !isOn(activeTrip, route) || (known?.revision === route.revision && known.polyline === route.polyline)) {
    return unchanged(knowledge);
  }
  return { knowledge: withView(knowledge, { route }), changes: [{ name: 'route', event: route }] };
}

const timeOf = (time: string | undefined): number => (time ? Date.parse(time) : 0);

function activate(knowledge: Knowledge, trip: WholeTrip, change: string, source: Source, exchange?: Exchange): Step {
  const previous = knowledge.view.activeTrip;
  // The snapshot is newer than what is replayed: a trip that it does not show is over, or given back.
  if (source === 'replay' && previous?.id !== trip.id) {
    return unchanged(knowledge.lostTrip?.id === trip.id ? { ...knowledge, lostTrip: trip } : knowledge);
  }
  const same = previous?.id === trip.id ? previous : undefined;
  const changes: Change[] = [];
  if (previous && !same) changes.push({ name: 'tripGone', event: { trip: previous, why: 'unknown' } });
  changes.push({ name: 'trip', event: { trip, change, ...(same && { previous: same }), ...(exchange && { exchange }) } });
  const sameDriver = same?.driver?.id === trip.driver?.id;
  const { route } = knowledge.view;
  let after = sameDriver && trip.driver ? knowledge : withoutPosition(knowledge);
  if (route && !(sameDriver && isOn(trip, route))) after = withoutRoute(after);
  return { knowledge: withView(after, { activeTrip: trip }), changes };
}

function end(knowledge: Knowledge, trip: Trip, change: string): Step {
  const { activeTrip, lastEnded } = knowledge.view;
  const mine = activeTrip?.id === trip.id || knowledge.lostTrip?.id === trip.id;
  let after = knowledge;
  if (activeTrip?.id === trip.id) after = withoutTrip(after);
  if (after.lostTrip?.id === trip.id) after = without(after, 'lostTrip');
  // An older trip that is rated is not the last one for that. The one that has just ended is, also where a clock was wrong.
  const latest = mine || !lastEnded || lastEnded.id === trip.id || timeOf(trip.ended_at) >= timeOf(lastEnded.ended_at);
  if (latest) after = withView(after, { lastEnded: trip });
  const rated = change === 'rated' || lastEnded?.id === trip.id;
  return { knowledge: after, changes: [rated ? { name: 'tripRated', event: trip } : { name: 'tripEnded', event: { trip, change } }] };
}

function release(knowledge: Knowledge, tripId: string, exchange?: Exchange): Step {
  const { activeTrip } = knowledge.view;
  const trip = activeTrip?.id === tripId ? activeTrip : knowledge.lostTrip?.id === tripId ? knowledge.lostTrip : undefined;
  if (!trip) return unchanged(knowledge);
  const after = trip === activeTrip ? withoutTrip(knowledge) : without(knowledge, 'lostTrip');
  return { knowledge: after, changes: [{ name: 'tripGone', event: { trip, why: 'released', ...(exchange && { exchange }) } }] };
}

/** The word for what a snapshot shows to have happened. */
function changeTo(trip: Trip, previous: Trip | undefined): string {
  if (trip.status === 'in_progress') return 'started';
  if (trip.status !== 'requested') return trip.status;
  if (!previous) return 'requested';
  return previous.status === 'requested' ? 'wave_planned' : 'released';
}
