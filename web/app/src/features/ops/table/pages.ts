// Lists come in pages that continue behind a cursor, newest first. A filter that the API cannot
// answer in one question, such as several statuses, is several lists that are merged here.

/** One page as the API gives it. */
export interface Page<T> {
  readonly items: readonly T[] | null;
  readonly next_cursor: string;
}

/** One of the lists that are merged: what was fetched of it and not shown yet, and how it goes on. */
interface Stream<T> {
  readonly key: string;
  readonly waiting: readonly T[];
  /** Cursor of its next page; empty at the beginning, null at the end. */
  readonly next: string | null;
}

/** How far several lists have been read. */
export type Position<T> = readonly Stream<T>[];

/** The beginning of some lists. */
export function beginning<T>(keys: readonly string[]): Position<T> {
  return keys.map((key) => ({ key, waiting: [], next: '' }));
}

/**
 * Reads on: fetches a page of each list that has nothing waiting, and gives as much as is sure to be
 * in order. What one list still holds could come before the rest of another, so it stops when any
 * list that goes on has run out. `next` is null at the end of all lists.
 */
export async function readOn<T>(
  position: Position<T>,
  fetchPage: (key: string, cursor: string) => Promise<Page<T>>,
  compare: (a: T, b: T) => number,
): Promise<{ items: T[]; next: Position<T> | null }> {
  const streams = await Promise.all(position.map(async (s) => {
    if (s.waiting.length > 0 || s.next === null) return { key: s.key, waiting: [...s.waiting], next: s.next };
    const page = await fetchPage(s.key, s.next);
    return { key: s.key, waiting: [...(page.items ?? [])], next: page.next_cursor || null };
  }));
  const items: T[] = [];
  while (!streams.some((s) => s.waiting.length === 0 && s.next !== null)) {
    let first: (typeof streams)[number] | undefined;
    for (const s of streams) {
      const [a, b] = [s.waiting[0], first?.waiting[0]];
      if (a !== undefined && (b === undefined || compare(a, b) < 0)) first = s;
    }
    const item = first?.waiting.shift();
    if (item === undefined) break;
    items.push(item);
  }
  const over = streams.every((s) => s.waiting.length === 0 && s.next === null);
  return { items, next: over ? null : streams };
}

/**
 * All pages as one list in which nothing is twice. A trip that changed its status between two fetches
 * can be in two lists: its newer version counts, in the place where it came first.
 */
export function merged<T>(pages: readonly { readonly items: readonly T[] }[], id: (item: T) => string, version: (item: T) => number = () => 0): T[] {
  const byId = new Map<string, T>();
  for (const page of pages) {
    for (const item of page.items) {
      const seen = byId.get(id(item));
      // Setting a key again keeps its place.
      if (seen === undefined || version(item) > version(seen)) byId.set(id(item), item);
    }
  }
  return [...byId.values()];
}

/** Orders instants, newest first. Fractions of seconds may have any length, as the server leaves zeros out. */
export function newestFirst(a: string, b: string): number {
  const [x, y] = [comparable(a), comparable(b)];
  return x < y ? 1 : x > y ? -1 : 0;
}

function comparable(at: string): string {
  const [whole = '', fraction = ''] = at.replace(/Z$/, '').split('.');
  return `${whole}.${fraction.padEnd(9, '0')}`;
}
