import type { Trip } from '@hexhail/client';

import { hasEnded } from '../../lib/trip/status';

/** Trips that were requested on one day, newest first. */
export interface TripDay {
  /** The local day as YYYY-MM-DD. */
  readonly day: string;
  /** A time of that day, for formatting. */
  readonly at: string;
  readonly trips: readonly Trip[];
}

/** The later of two versions of a trip. */
export function newer<T extends Pick<Trip, 'version'>>(a: T, b: T | undefined): T {
  return b && b.version > a.version ? b : a;
}

/**
 * Puts pages together into one list without the trips that go on, which have their own place. Should a page have moved
 * while the next one was fetched, each trip still counts once, in its latest version.
 */
export function mergePages(pages: readonly (readonly Trip[])[]): Trip[] {
  const byId = new Map<string, Trip>();
  for (const page of pages) {
    for (const trip of page) byId.set(trip.id, newer(trip, byId.get(trip.id)));
  }
  return [...byId.values()].filter(hasEnded);
}

/** Splits a list into days of the device's time zone, keeping its order. */
export function byDay(trips: readonly Trip[]): TripDay[] {
  const days: { day: string; at: string; trips: Trip[] }[] = [];
  for (const trip of trips) {
    const at = trip.requested_at ?? '';
    const day = localDay(at);
    const last = days.at(-1);
    if (last?.day === day) last.trips.push(trip);
    else days.push({ day, at, trips: [trip] });
  }
  return days;
}

function localDay(at: string): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}
