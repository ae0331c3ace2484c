import { majorUnits } from '@hexhail/client';

import type { Schemas } from '../../../api/http';

export type Trip = Schemas['Trip'];

/** What was earned in one currency. */
export interface Sum {
  readonly currency: string;
  /** Minor units. */
  readonly minor: number;
}

/** One day, or one hour, of a driver's work. */
export interface Bucket {
  /** The calendar day as 2026-11-22, or the hour as 0 to 23. */
  readonly key: string;
  readonly trips: number;
  readonly sums: readonly Sum[];
}

/** The calendar day of an instant, where the person lives: 2026-11-22. */
export function dayOf(at: Date | string, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(new Date(at));
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** The hour of an instant, where the person lives: 0 to 23. */
export function hourOf(at: Date | string, timeZone: string): number {
  return Number(new Intl.DateTimeFormat('en-US', { timeZone, hour: 'numeric', hourCycle: 'h23' }).format(new Date(at)));
}

/** The day some days before a calendar day. Counts days of the calendar, which are not all 24 hours long. */
export function daysBefore(day: string, days: number): string {
  const [y = 1970, m = 1, d = 1] = day.split('-').map(Number);
  return new Date(Date.UTC(y, m - 1, d - days)).toISOString().slice(0, 10);
}

/** What completed trips have brought in, currency by currency; the largest first. */
export function sumOf(trips: readonly Trip[]): readonly Sum[] {
  const minor = new Map<string, number>();
  for (const trip of trips) {
    const total = trip.status === 'completed' ? trip.fare?.total : undefined;
    if (total) minor.set(total.currency, (minor.get(total.currency) ?? 0) + total.minor);
  }
  return largestFirst(minor);
}

/** Sums of several days, added up currency by currency; the largest first. */
export function sumUp(sums: readonly Sum[]): readonly Sum[] {
  const minor = new Map<string, number>();
  for (const s of sums) minor.set(s.currency, (minor.get(s.currency) ?? 0) + s.minor);
  return largestFirst(minor);
}

/** By whole units: the minor units of two currencies are not alike. */
function largestFirst(minor: ReadonlyMap<string, number>): readonly Sum[] {
  return [...minor].map(([currency, m]) => ({ currency, minor: m })).sort((a, b) => majorUnits(b) - majorUnits(a));
}

/** The completed trips of one calendar day. A trip counts for the day on which it ended. */
export function tripsOn(trips: readonly Trip[], day: string, timeZone: string): readonly EndedTrip[] {
  return trips.filter(hasEnded).filter((t) => dayOf(t.ended_at, timeZone) === day);
}

type EndedTrip = Trip & { readonly ended_at: string };
const hasEnded = (t: Trip): t is EndedTrip => t.status === 'completed' && t.ended_at !== undefined;

/** The last days up to today, the oldest first, also those without a trip. */
export function lastDays(trips: readonly Trip[], days: number, now: Date, timeZone: string): readonly Bucket[] {
  const today = dayOf(now, timeZone);
  return Array.from({ length: days }, (_, i) => {
    const key = daysBefore(today, days - 1 - i);
    const of = tripsOn(trips, key, timeZone);
    return { key, trips: of.length, sums: sumOf(of) };
  });
}

/** The hours of one day from the first with a trip to the last. */
export function hoursOf(trips: readonly Trip[], day: string, timeZone: string): readonly Bucket[] {
  const of = tripsOn(trips, day, timeZone);
  const hours = of.map((t) => hourOf(t.ended_at, timeZone));
  if (hours.length === 0) return [];
  const first = Math.min(...hours);
  return Array.from({ length: Math.max(...hours) - first + 1 }, (_, i) => {
    const here = of.filter((_, n) => hours[n] === first + i);
    return { key: String(first + i), trips: here.length, sums: sumOf(here) };
  });
}

/** One page of a driver's trips, newest first. */
export interface Page {
  readonly items: readonly Trip[];
  /** Empty at the end. */
  readonly next: string;
}

/** No driver has more pages in a week; it only bounds a server that never ends its list. */
const mostPages = 50;
/** A trip is listed by when it was asked for, and earns when it ends: rides may cross midnight. In milliseconds. */
const longestTripMs = 24 * 3600 * 1000;

/** Reads pages until they are older than `since`. Repeats of a trip, as lists that grow between pages have, count once. */
export async function collectSince(since: Date, readPage: (cursor: string) => Promise<Page>): Promise<readonly Trip[]> {
  const trips = new Map<string, Trip>();
  let cursor = '';
  for (let pages = 0; pages < mostPages; pages++) {
    const page = await readPage(cursor);
    for (const trip of page.items) trips.set(trip.id, trip);
    const oldest = page.items.at(-1)?.requested_at;
    if (page.next === '' || (oldest !== undefined && Date.parse(oldest) < since.getTime() - longestTripMs)) break;
    cursor = page.next;
  }
  return [...trips.values()];
}
