import type { Trip, TripStatus } from '@hexhail/client';

// The app's one list of statuses. It is keyed by the protocol's own type, so a status that the protocol adds fails the
// typecheck here, and then on each page that has not decided what to show for it.

/** A status that a trip of this server can have. */
export type Status = Exclude<TripStatus, 'status_unspecified'>;

/** Whether a status is one of a trip that goes on, in the order of a trip's life. */
const stages = {
  requested: 'live',
  matched: 'live',
  arrived: 'live',
  in_progress: 'live',
  completed: 'ended',
  cancelled: 'ended',
  expired: 'ended',
} as const satisfies Record<Status, 'live' | 'ended'>;

type Of<Stage> = { [S in Status]: (typeof stages)[S] extends Stage ? S : never }[Status];
export type LiveStatus = Of<'live'>;
export type EndedStatus = Of<'ended'>;

/** All statuses, in the order of a trip's life. */
export const statuses = Object.keys(stages) as readonly Status[];
export const liveStatuses = statuses.filter((status): status is LiveStatus => stages[status] === 'live');
export const endedStatuses = statuses.filter((status): status is EndedStatus => stages[status] === 'ended');

const ended: ReadonlySet<TripStatus> = new Set(endedStatuses);

/** Whether nothing more will happen to a trip, except for ratings. */
export const hasEnded = (trip: Pick<Trip, 'status'>): boolean => ended.has(trip.status);

/**
 * What a `switch` answers for the statuses of a newer server. It takes none of ours: a switch that forgets one of them does
 * not compile.
 */
export const ofNewerServer = <T>(_status: never, otherwise: T): T => otherwise;

/** The colour of a status in badges and timelines. */
export const statusColor: Record<TripStatus, string> = {
  status_unspecified: 'gray',
  requested: 'yellow',
  matched: 'lagoon',
  arrived: 'lagoon',
  in_progress: 'lagoon',
  completed: 'gray',
  cancelled: 'red',
  expired: 'orange',
};
