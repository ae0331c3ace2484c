import type { Sample } from '@hexhail/client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useRef, useSyncExternalStore } from 'react';

import { call } from '../../../api/http';
import { http } from '../../../api/auth';
import { keys } from '../../../api/queries';
import type { City, Slice } from './city';
import type { Feed, LiveCity, Need } from './LiveCity';
import { addPoint, pointOf, type Point } from './samples';

export const LiveCityContext = createContext<LiveCity | null>(null);

/** The console's session, on its pages. */
export function useLiveCity(): LiveCity {
  const live = useContext(LiveCityContext);
  if (!live) throw new Error('this page must be within the operations console');
  return live;
}

/** Has the city watched while the component is there. `need` must be the same object each time. */
export function useNeed(need: Need): void {
  const live = useLiveCity();
  useEffect(() => live.need(need), [live, need]);
}

/** How what is shown relates to what is. Renders again when that changes. */
export function useFeed(): Feed {
  const live = useLiveCity();
  return useSyncExternalStore(live.subscribe, () => live.feed);
}

/** The city; renders again when the slice has changed, at most as often as the server sends. */
export function useCity(slice: Slice): City {
  const { store } = useLiveCity();
  const subscribe = useCallback((listener: () => void) => store.subscribe(slice, listener), [store, slice]);
  useSyncExternalStore(subscribe, () => store.version(slice));
  return store.city;
}

/** A time range of the charts, and the length of their steps in seconds. */
export const ranges = { h1: { hours: 1, stepS: 10 }, h6: { hours: 6, stepS: 60 }, h24: { hours: 24, stepS: 60 } } as const;
export type Range = keyof typeof ranges;

/** The points of a range: fetched once, extended by what the server pushes, and fetched again after a reconnect. */
export function useSeries(range: Range) {
  const live = useLiveCity();
  const queries = useQueryClient();
  const { hours, stepS } = ranges[range];
  const connected = useFeed().connection.status === 'connected';
  const query = useQuery({
    queryKey: keys.ops.series(range),
    staleTime: Infinity,
    queryFn: async (): Promise<readonly Point[]> => {
      const since = new Date(Date.now() - hours * 3_600_000).toISOString();
      const { samples } = await call(http.GET('/v1/admin/series', { params: { query: { since, step: stepS } } }));
      return (samples ?? []).flatMap((sample) => pointOf(sample) ?? []);
    },
  });
  useEffect(() => live.onSample((sample: Sample) => {
    const point = pointOf(sample);
    if (!point) return;
    queries.setQueryData(keys.ops.series(range), (points: readonly Point[] | undefined) => points && addPoint(points, point, stepS, hours * 3600));
  }), [live, queries, range, stepS, hours]);

  const wasConnected = useRef(connected);
  const { refetch } = query;
  useEffect(() => {
    if (connected && !wasConnected.current) void refetch();
    wasConnected.current = connected;
  }, [connected, refetch]);
  return query;
}
