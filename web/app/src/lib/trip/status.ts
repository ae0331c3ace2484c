import type { Trip, TripStatus } from '@hexhail/client';

const ended: ReadonlySet<TripStatus> = new Set(['completed', 'cancelled', 'expired']);

/** Whether nothing more will happen to a trip, but for ratings. */
export const hasEnded = (trip: Pick<Trip, 'status'>): boolean => ended.has(trip.status);

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
