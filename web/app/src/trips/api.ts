import type { Trip } from '@hexhail/client';
import { infiniteQueryOptions, queryOptions, useQueryClient } from '@tanstack/react-query';

import { call, configuration, type Schemas } from '../api/http';
import type { operations } from '../api/schema';
import { http } from '../shell/auth';
import { useSessionEvent } from '../shell/session';

/** What the list of trips can be narrowed to. */
export const filters = ['all', 'completed', 'cancelled', 'expired'] as const;
export type Filter = (typeof filters)[number];

export type TripEvent = Schemas['EventView'];
export type TrackPoint = Schemas['TrackPoint'];

/** A page of the list of trips. */
export interface TripPage {
  readonly trips: readonly Trip[];
  readonly next: string;
}

/** A trip with its history. */
export interface TripWithHistory {
  readonly trip: Trip;
  readonly events: readonly TripEvent[];
  readonly track: readonly TrackPoint[];
}

type PageQuery = NonNullable<operations['list-trips']['parameters']['query']>;

const pageSize = 20;

/** One's own trips, newest first, page after page by the server's cursor. */
export const tripList = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['trips', 'list', filter],
    queryFn: ({ pageParam, signal }) =>
      fetchPage({
        limit: pageSize,
        ...(pageParam === '' ? {} : { cursor: pageParam }),
        ...(filter === 'all' ? {} : { status: filter }),
      }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => (page.next === '' ? undefined : page.next),
    // The list is looked at seldom, and should be right then.
    staleTime: 0,
  });

/** One's newest trips. */
export const latestTrips = queryOptions({
  queryKey: ['trips', 'latest'],
  queryFn: async ({ signal }) => (await fetchPage({ limit: 10 }, signal)).trips,
});

/** A trip with its events and its track. */
export const tripDetail = (id: string) =>
  queryOptions({
    queryKey: ['trips', 'one', id],
    queryFn: async ({ signal }): Promise<TripWithHistory> => {
      const answer = await call(http.GET('/v1/trips/{id}', { params: { path: { id } }, signal }));
      return { trip: answer.trip as Trip, events: answer.events ?? [], track: answer.track ?? [] };
    },
    staleTime: 0,
  });

// A trip over HTTP is the same JSON as on the socket; our OpenAPI merely leaves open what the protocol promises to set.
async function fetchPage(query: PageQuery, signal: AbortSignal): Promise<TripPage> {
  const page = await call(http.GET('/v1/trips', { params: { query }, signal }));
  return { trips: (page.items ?? []) as Trip[], next: page.next_cursor };
}

/** What the server tells every client: vehicle classes and where maps come from. */
export const serverConfig = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => call(http.GET('/v1/config', { signal })).then(configuration),
  staleTime: 10 * 60_000,
});

/** Fetches what is known of trips again when one of them has ended. */
export function useFreshTrips(): void {
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: ['trips'] });
  useSessionEvent('tripEnded', refresh);
  useSessionEvent('tripGone', refresh);
}

/** Of two tellings of one trip the later one. */
export function newer<T extends Pick<Trip, 'version'>>(a: T, b: T | undefined): T {
  return b && b.version > a.version ? b : a;
}
