import { type Point, type Quote } from '@hexhail/client';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { keys } from '../../api/queries';
import type { Way } from '../../lib/map';
import { useSession } from '../../lib/session';
import { wayAlong } from '../../lib/trip/route';
import { isWhole, type Draft } from './draft';

/** How often quotes are fetched again: drivers come and go. */
export const refreshMs = 30_000;
/** Older quotes are shown as out of date. */
export const staleMs = 75_000;

export interface Quotes {
  readonly list: readonly Quote[] | undefined;
  readonly loading: boolean;
  readonly error: unknown;
  /** Whether these are old, because newer ones cannot be had. */
  readonly outdated: boolean;
  readonly retry: () => void;
}

export const isOutdated = (fetchedAt: number, now: number): boolean => fetchedAt > 0 && now - fetchedAt > staleMs;

type Ends = readonly [pickup: Point, dropoff: Point];

/** The quotes of a ride between two places. */
function quotesBetween(session: ReturnType<typeof useSession>, ends: Ends | null) {
  return queryOptions({
    queryKey: keys.quotes(ends),
    queryFn: async ({ signal }) => {
      if (!ends) return null;
      const { quotes, polyline } = await session.getQuotes({ pickup: ends[0], dropoff: ends[1] }, { signal });
      return { list: quotes, polyline, at: session.serverNow() };
    },
    enabled: ends !== null,
    // The client library already retries what may succeed later, and waits for the network.
    retry: false,
    networkMode: 'always',
    staleTime: refreshMs,
    gcTime: 5 * 60_000,
  });
}

/** The way of a ride along the streets, with its quotes; null until it is there, and where none is known. */
export function useQuotedWay(pickup: Point | undefined, dropoff: Point | undefined): Way | null {
  const ends = pickup && dropoff ? [pickup, dropoff] as const : null;
  // Streets stay where they are: quotes are renewed by who shows prices.
  const polyline = useQuery({ ...quotesBetween(useSession(), ends), staleTime: Infinity }).data?.polyline ?? '';
  return useMemo(() => wayAlong(polyline), [polyline]);
}

/** What the planned ride would cost in each class. Asked for again when the ends change, and from time to time. */
export function useQuotes(draft: Draft, now: number): Quotes {
  const session = useSession();
  const whole = isWhole(draft);
  const ends = whole ? [draft.pickup.point, draft.dropoff.point] as const : null;
  const query = useQuery({ ...quotesBetween(session, ends), refetchInterval: refreshMs });
  return {
    list: query.data?.list,
    loading: whole && query.isPending,
    error: query.error,
    outdated: isOutdated(query.data?.at ?? 0, now),
    retry: () => void query.refetch(),
  };
}

/** The class to show as chosen: the rider's own, if it is on offer and has the seats, or else the first that does. */
export function chosenClass(quotes: readonly Quote[], wanted: string, seats: (vehicleClass: string) => number, passengers: number): string {
  const fits = (q: Quote) => seats(q.vehicle_class) >= passengers;
  const own = quotes.find((q) => q.vehicle_class === wanted && fits(q));
  const near = quotes.find((q) => fits(q) && q.drivers_nearby > 0);
  return (own ?? near ?? quotes.find(fits))?.vehicle_class ?? '';
}
