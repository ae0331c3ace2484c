import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState, useSyncExternalStore } from 'react';

import { followed, Missing, type TripRow } from '../live/follow';
import { useFeed, useLiveCity, useNeed } from '../live/hooks';
import type { TripsSearch } from './search';
import { changeInLists, type List } from './useList';

const need = { trips: true } as const;

/** How a list of trips relates to what is. */
export interface Follow {
  /** Whether its rows follow the feed. */
  readonly live: boolean;
  /** Trips that belong to the list and came since it was read. */
  readonly missing: number;
  /** The connection was lost since the list was read: some changes may be missing. */
  readonly gap: boolean;
}

/**
 * Updates the rows of all lists of trips in place as the feed changes. New trips are only counted, and the reader loads them, so
 * that nothing moves under their eyes; an empty list loads them at once.
 */
export function useFollow(list: List<TripRow>, search: TripsSearch): Follow {
  useNeed(need);
  const { store } = useLiveCity();
  const { connection, heard } = useFeed();
  const queries = useQueryClient();
  const [missing] = useState(() => new Missing());
  const count = useSyncExternalStore(missing.subscribe, missing.size);
  const { rows, at, hasMore } = list;

  const look = useEffectEvent(() => {
    const { trips } = store.city;
    changeInLists<TripRow>(queries, 'trips', (row) => followed(row, trips.get(row.id)));
    if (at === 0) return;
    missing.take(trips.values(), rows, hasMore, search);
    if (rows.length === 0 && missing.size() > 0 && !list.refreshing) list.refresh();
  });
  const key = JSON.stringify(search);
  useEffect(() => {
    // Read just now, or with other filters: what was missing before is of no interest.
    missing.clear();
    look();
  }, [missing, at, key]);
  useEffect(() => look(), [rows]);
  useEffect(() => store.subscribe('trips', () => look()), [store]);

  const connected = connection.status === 'connected';
  const [lost, setLost] = useState<number | null>(null);
  const [was, setWas] = useState(connected);
  if (was !== connected) {
    setWas(connected);
    if (!connected) setLost(at);
  }
  return { live: connected && heard, missing: count, gap: connected && at > 0 && lost === at };
}
