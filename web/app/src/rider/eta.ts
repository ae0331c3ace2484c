import type { DriverPosition, Point, WholeTrip } from '@hexhail/client';

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

/** How much of the way from `from` to `to` lies behind somebody at `at`, from 0 to 1, as the crow flies. */
export function progress(from: Point, to: Point, at: Point): number {
  const done = metres(from, at);
  const left = metres(at, to);
  return done + left === 0 ? 1 : done / (done + left);
}

const earthRadiusM = 6_371_008;
const rad = (degrees: number): number => (degrees * Math.PI) / 180;

/** The distance of two points as the crow flies. */
export function metres(a: Point, b: Point): number {
  const dLat = rad(b.lat - a.lat);
  const dLng = rad(b.lng - a.lng);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * earthRadiusM * Math.asin(Math.min(1, Math.sqrt(h)));
}

export const headings = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const;
export type Heading = (typeof headings)[number];

/** The direction from one point to another, as one of eight. */
export function headingTo(from: Point, to: Point): Heading {
  const y = Math.sin(rad(to.lng - from.lng)) * Math.cos(rad(to.lat));
  const x = Math.cos(rad(from.lat)) * Math.sin(rad(to.lat)) - Math.sin(rad(from.lat)) * Math.cos(rad(to.lat)) * Math.cos(rad(to.lng - from.lng));
  const eighth = Math.round(((Math.atan2(y, x) * 180) / Math.PI + 360) / 45) % 8;
  return headings[eighth] ?? 'n';
}
