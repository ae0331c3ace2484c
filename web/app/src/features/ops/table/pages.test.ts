import { describe, expect, it, vi } from 'vitest';

import { beginning, merged, newestFirst, readOn, type Page, type Position } from './pages';

interface Row { id: string; at: number; version?: number }

/** Lists of rows by name, each in pages of two. */
function lists(all: Record<string, number[]>) {
  return vi.fn((key: string, cursor: string): Promise<Page<Row>> => {
    const rows = all[key] ?? [];
    const from = Number(cursor || 0);
    const next = from + 2;
    return Promise.resolve({ items: rows.slice(from, next).map((at) => ({ id: `${key}${at}`, at })), next_cursor: next < rows.length ? String(next) : '' });
  });
}

const byTime = (a: Row, b: Row) => b.at - a.at;

async function readAll(keys: string[], fetchPage: ReturnType<typeof lists>): Promise<number[][]> {
  const pages: number[][] = [];
  let position: Position<Row> | null = beginning<Row>(keys);
  while (position !== null && pages.length < 50) {
    const read: { items: Row[]; next: Position<Row> | null } = await readOn(position, fetchPage, byTime);
    pages.push(read.items.map((r) => r.at));
    position = read.next;
  }
  return pages;
}

describe('reading on', () => {
  it('gives one list page by page, and ends', async () => {
    expect(await readAll(['a'], lists({ a: [9, 8, 7, 6, 5] }))).toEqual([[9, 8], [7, 6], [5]]);
  });

  it('merges several lists in order, however unevenly they are spread', async () => {
    const fetchPage = lists({ a: [20, 19, 18, 17, 16], b: [15, 3, 2], c: [] });
    const pages = await readAll(['a', 'b', 'c'], fetchPage);
    expect(pages.flat()).toEqual([20, 19, 18, 17, 16, 15, 3, 2]);
    // What could still come before something else is held back.
    expect(pages[0]).toEqual([20, 19]);
    // No page is fetched twice.
    expect(new Set(fetchPage.mock.calls.map((c) => c.join(' '))).size).toBe(fetchPage.mock.calls.length);
  });

  it('does not change the position that it was given, so that a failed page can be read again', async () => {
    const fetchPage = lists({ a: [9, 7, 5], b: [8, 6, 4] });
    const { next } = await readOn(beginning<Row>(['a', 'b']), fetchPage, byTime);
    const again = async () => (await readOn(next ?? [], fetchPage, byTime)).items.map((r) => r.at);
    expect(await again()).toEqual(await again());
  });
});

describe('merged pages', () => {
  it('hold nothing twice, and the newer version in the older place', () => {
    const pages = [
      { items: [{ id: 'x', at: 3, version: 1 }, { id: 'y', at: 2, version: 4 }] },
      { items: [{ id: 'x', at: 3, version: 2 }, { id: 'y', at: 2, version: 3 }, { id: 'z', at: 1, version: 1 }] },
    ];
    expect(merged<Required<Row>>(pages, (r) => r.id, (r) => r.version).map((r) => `${r.id}${r.version}`)).toEqual(['x2', 'y4', 'z1']);
  });
});

describe('the order of instants', () => {
  it('is by value, whatever the number of digits', () => {
    const mixed = ['2026-11-22T18:50:48.86Z', '2026-11-22T18:50:48.864427Z', '2026-11-22T18:50:49Z', '2026-11-22T18:50:48.9Z'];
    expect([...mixed].sort(newestFirst)).toEqual(['2026-11-22T18:50:49Z', '2026-11-22T18:50:48.9Z', '2026-11-22T18:50:48.864427Z', '2026-11-22T18:50:48.86Z']);
  });
});
