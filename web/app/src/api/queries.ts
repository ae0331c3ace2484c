import type { Trip } from '@hexhail/client';
import { infiniteQueryOptions, queryOptions, useQuery } from '@tanstack/react-query';

import { http } from './auth';
import { call, configuration, type Schemas } from './http';
import type { operations } from './schema';

// The only home of query keys, which a lint rule enforces. What two places read has its whole query here: one key with two
// fetchers or two lifetimes would serve one page what another asked for.

/**
 * The keys of the cache. A key that another one begins with is its parent: to invalidate the parent is to invalidate both.
 * Ids and filters come last.
 */
export const keys = {
  config: ['config'] as const,
  demo: ['demo'] as const,
  demoPlaces: ['demo', 'places'] as const,
  pinHint: (trip: string) => ['demo', 'hint', trip] as const,

  trips: ['trips'] as const,
  tripList: (filter: TripFilter) => ['trips', 'list', filter] as const,
  latestTrips: ['trips', 'latest'] as const,
  trip: (id: string) => ['trips', 'one', id] as const,
  earnings: (account?: string) => (account === undefined ? ['earnings'] as const : ['earnings', account] as const),
  quotes: (ends: unknown) => ['quotes', ends] as const,

  placesNamed: (geocoder: string, text: string, language: string) => ['geocode', geocoder, text, language] as const,
  nameOfPlace: (url: string) => ['reverse', url] as const,
  nameOfArea: (url: string) => ['area', url] as const,

  /** The console's own. */
  ops: {
    /** All lists of a kind, whatever their filters. */
    lists: (name: OpsList) => ['ops', name] as const,
    list: (name: OpsList, filter: object) => ['ops', name, filter] as const,
    /** Among the lists of people, so that what changes a person changes these rows. */
    approvals: (state: string, text: string | undefined) => ['ops', 'people', 'approvals', state, text] as const,
    operators: ['ops', 'operators'] as const,
    search: (text: string) => ['ops', 'search', text] as const,
    accounts: ['ops', 'account'] as const,
    account: (id: string) => ['ops', 'account', id] as const,
    /** Under the account, so that what changes the account reads them again. */
    tripsOf: (id: string) => ['ops', 'account', id, 'trips'] as const,
    name: (id: string | undefined) => ['ops', 'name', id] as const,
    explain: (trip: string) => ['ops', 'explain', trip] as const,
    track: (trip: string, version: number) => ['ops', 'explain', trip, 'track', version] as const,
    fare: (trip: string) => ['ops', 'fare', trip] as const,
    series: (range: string) => ['ops', 'series', range] as const,
    demoDispatch: ['ops', 'demo-dispatch'] as const,
    rideTimes: ['ops', 'ride-times'] as const,
    waiting: ['ops', 'waiting'] as const,
    waitingIds: ['ops', 'waiting', 'ids'] as const,
  },
} as const;

/** The console's lists that are read page by page. */
export type OpsList = 'trips' | 'people' | 'audit';

/** Kept as long as the page is open: a server says the same until it restarts, and every page asks. */
const forever = { staleTime: Infinity, gcTime: Infinity } as const;

/** What the server says to every client: vehicle classes, limits, where maps come from. */
export const serverConfig = queryOptions({
  queryKey: keys.config,
  queryFn: () => call(http.GET('/v1/config')).then(configuration),
  ...forever,
});

/** The server's configuration, once it is there. */
export function useServerConfig() {
  return useQuery(serverConfig);
}

/** What the demonstration is of; only servers that are one know. */
export const demonstration = queryOptions({
  queryKey: keys.demo,
  queryFn: () => call(http.GET('/v1/demo')),
  ...forever,
});

/** The demonstration that this server is. Asks only servers that are one. */
export function useDemonstration() {
  const isDemo = useServerConfig().data?.demo === true;
  return useQuery({ ...demonstration, enabled: isDemo });
}

/** The demonstration's own pickups. */
export const demoPlaces = queryOptions({
  queryKey: keys.demoPlaces,
  queryFn: () => call(http.GET('/v1/demo/places')),
  ...forever,
});

/** What the list of trips can be narrowed to. */
export type TripFilter = 'all' | NonNullable<TripsQuery['status']>;

/** A page of the list of trips. */
export interface TripPage {
  readonly trips: readonly Trip[];
  /** The cursor of the next page; empty on the last one. */
  readonly next: string;
}

/** A trip with its history. */
export interface TripWithHistory {
  readonly trip: Trip;
  readonly events: readonly Schemas['EventView'][];
  readonly track: readonly Schemas['TrackPoint'][];
}

const pageSize = 20;

/** One's own trips, newest first, page after page by the server's cursor. */
export const tripList = (filter: TripFilter) =>
  infiniteQueryOptions({
    queryKey: keys.tripList(filter),
    queryFn: ({ pageParam, signal }) =>
      fetchTrips({
        limit: pageSize,
        ...(pageParam === '' ? {} : { cursor: pageParam }),
        ...(filter === 'all' ? {} : { status: filter }),
      }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => (page.next === '' ? undefined : page.next),
    // People open the list rarely, and it should be right then.
    staleTime: 0,
  });

/** One's newest trips. */
export const latestTrips = queryOptions({
  queryKey: keys.latestTrips,
  queryFn: async ({ signal }) => (await fetchTrips({ limit: 10 }, signal)).trips,
});

/** A trip with its events and its track. */
export const tripDetail = (id: string) =>
  queryOptions({
    queryKey: keys.trip(id),
    queryFn: async ({ signal }): Promise<TripWithHistory> => {
      const answer = await call(http.GET('/v1/trips/{id}', { params: { path: { id } }, signal }));
      return { trip: answer.trip as Trip, events: answer.events ?? [], track: answer.track ?? [] };
    },
    staleTime: 0,
  });

type TripsQuery = NonNullable<operations['list-trips']['parameters']['query']>;

// A trip over HTTP is the same JSON as on the socket; our OpenAPI merely leaves open what the protocol promises to set.
async function fetchTrips(query: TripsQuery, signal: AbortSignal): Promise<TripPage> {
  const page = await call(http.GET('/v1/trips', { params: { query }, signal }));
  return { trips: (page.items ?? []) as Trip[], next: page.next_cursor };
}

/** An account, as operators see it. */
export const accountQuery = (id: string) =>
  queryOptions({
    queryKey: keys.ops.account(id),
    queryFn: ({ signal }) => call(http.GET('/v1/admin/accounts/{id}', { signal, params: { path: { id } } })),
  });

/** Why a trip went as it did. */
export const explainQuery = (id: string) =>
  queryOptions({
    queryKey: keys.ops.explain(id),
    queryFn: ({ signal }) => call(http.GET('/v1/admin/trips/{id}/explain', { signal, params: { path: { id } } })),
    staleTime: 5000,
  });

/** Sign-ups are not pushed, so the console asks again from time to time. */
const waitingPoll = { refetchInterval: 20_000, staleTime: 5000 } as const;

/** How many drivers wait for an operator's decision. */
export const waitingCount = queryOptions({
  queryKey: keys.ops.waiting,
  queryFn: ({ signal }) => call(http.GET('/v1/admin/waiting-drivers', { signal })),
  ...waitingPoll,
});

/** The newest of them, by id: what a list that is open compares itself with. */
export const waitingDrivers = queryOptions({
  queryKey: keys.ops.waitingIds,
  queryFn: async ({ signal }) => {
    const page = await call(http.GET('/v1/admin/accounts', { signal, params: { query: { role: 'driver', approval: 'pending', limit: 100 } } }));
    return (page.items ?? []).map(({ account }) => account.id);
  },
  ...waitingPoll,
});
