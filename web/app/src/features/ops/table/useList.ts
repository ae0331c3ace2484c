import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useMemo } from 'react';

import { keys, type OpsList } from '../../../api/queries';
import { beginning, merged, readOn, type Page, type Position } from './pages';
import { boundsOf, type Span } from './search';

interface Read<T> {
  readonly items: T[];
  /** When it was read, in milliseconds since 1970. */
  readonly at: number;
  readonly next: Place<T> | null;
}

/** How far a list has been read, and the span that its first page was asked for. */
interface Place<T> {
  readonly position: Position<T>;
  readonly bounds: { from?: string; to?: string };
}

export interface ListOptions<T> {
  /** One of `keys.ops.lists`' children. */
  readonly queryKey: readonly unknown[];
  /** The lists to merge: one name each, given to `fetchPage`. */
  readonly streams: readonly string[];
  readonly span?: Span;
  readonly fetchPage: (at: { stream: string; cursor: string; from?: string; to?: string; signal: AbortSignal }) => Promise<Page<T>>;
  readonly compare: (a: T, b: T) => number;
  readonly id: (item: T) => string;
  readonly version?: (item: T) => number;
}

export interface List<T> {
  readonly rows: readonly T[];
  readonly error: unknown;
  /** The first page is on its way. */
  readonly loading: boolean;
  readonly loadingMore: boolean;
  readonly hasMore: boolean;
  /** When its beginning was read, in milliseconds since 1970; 0 before. */
  readonly at: number;
  readonly refreshing: boolean;
  readonly more: () => void;
  /** Begins again with the first page. */
  readonly refresh: () => void;
}

const unversioned = () => 0;

/** A list of the console, read in pages as it is scrolled. Its order stays as it was read until it is refreshed. */
export function useList<T>(options: ListOptions<T>): List<T> {
  const { queryKey, streams, span = {}, fetchPage, compare, id, version = unversioned } = options;
  const queries = useQueryClient();
  const query = useInfiniteQuery<Read<T>, Error, InfiniteData<Read<T>>, readonly unknown[], Place<T> | null>({
    queryKey,
    initialPageParam: null,
    queryFn: async ({ pageParam, signal }) => {
      const place = pageParam ?? { position: beginning<T>(streams), bounds: boundsOf(span, new Date()) };
      const read = await readOn(place.position, (stream, cursor) => fetchPage({ stream, cursor, ...place.bounds, signal }), compare);
      return { items: read.items, at: Date.now(), next: read.next && { position: read.next, bounds: place.bounds } };
    },
    getNextPageParam: (last) => last.next,
    // Reading all pages again because the operator came back would cost much and move the rows.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const { data, isFetching, isFetchingNextPage, hasNextPage } = query;
  const rows = useMemo(() => merged(data?.pages ?? [], id, version), [data, id, version]);
  return {
    rows,
    error: query.error,
    loading: query.isPending,
    loadingMore: isFetchingNextPage,
    hasMore: hasNextPage,
    at: data?.pages[0]?.at ?? 0,
    refreshing: isFetching && !isFetchingNextPage,
    more: () => {
      if (hasNextPage && !isFetching) void query.fetchNextPage();
    },
    refresh: () => {
      queries.setQueryData<InfiniteData<Read<T>>>(queryKey, (d) => d && { pages: d.pages.slice(0, 1), pageParams: d.pageParams.slice(0, 1) });
      void query.refetch();
    },
  };
}

/** Changes the rows of all lists of a name, where they are. A row for which `change` returns itself stays as it is. */
export function changeInLists<T>(queries: ReturnType<typeof useQueryClient>, name: OpsList, change: (item: T) => T): void {
  queries.setQueriesData<InfiniteData<Read<T>>>({ queryKey: keys.ops.lists(name) }, (d) => {
    if (!d) return d;
    const pages = d.pages.map((p) => {
      const items = p.items.map(change);
      return items.some((item, i) => item !== p.items[i]) ? { ...p, items } : p;
    });
    return pages.some((p, i) => p !== d.pages[i]) ? { ...d, pages } : d;
  });
}

/** Puts a newer version of something into all lists of a name that hold it. */
export function replaceInLists<T>(queries: ReturnType<typeof useQueryClient>, name: OpsList, item: T, id: (item: T) => string): void {
  changeInLists<T>(queries, name, (i) => (id(i) === id(item) ? item : i));
}
