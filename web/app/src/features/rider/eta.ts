import type { DriverPosition, Point, WholeTrip } from '@hexhail/client';

import { distanceBetween } from '../../lib/map';
import type { Planned } from '../../lib/trip/route';
import { useSince } from './time';

/**
 * When the driver will be there (the pickup before the ride, the dropoff during it), in the server's milliseconds: by
 * its newest position, or else by what was estimated at the match.
 */
export function useArrival(trip: WholeTrip, position: DriverPosition | undefined, now: number): number {
  const mine = position?.trip_id === trip.id ? position : undefined;
  const heardAt = useSince(mine, now);
  if (mine) return heardAt + mine.eta_s * 1000;
  if (trip.status === 'in_progress') return Date.parse(trip.started_at ?? '') + trip.estimate.duration_s * 1000;
  return Date.parse(trip.matched_at ?? '') + trip.pickup_eta_s * 1000;
}

/** What is left of the route along streets, in metres, as of the driver's newest position; null where that is not known. */
export function leftOf(planned: Planned | null, position: DriverPosition | undefined): number | null {
  if (!planned?.way || position?.route_revision !== planned.route.revision) return null;
  return position.left_m;
}

/** How much of a ride of about `wholeM` lies behind the car, from 0 to 1. Another route for what is left does not start over. */
export function progressOn(wholeM: number, leftM: number): number {
  const whole = Math.max(wholeM, leftM);
  return whole === 0 ? 1 : 1 - leftM / whole;
}

/** How much of the way from `from` to `to` lies behind a car at `at`, from 0 to 1, in a straight line. */
export function progress(from: Point, to: Point, at: Point): number {
  const done = distanceBetween(from, at);
  const left = distanceBetween(at, to);
  return done + left === 0 ? 1 : done / (done + left);
}
