import { describe, expect, it } from 'vitest';

import { collectSince, dayOf, daysBefore, hoursOf, lastDays, sumOf, tripsOn, type Trip } from './earnings';

let count = 0;
const trip = (ended: string, minor: number, currency = 'USD', status: Trip['status'] = 'completed'): Trip => ({
  id: `t${++count}`, status, version: 6, requested_at: ended, ended_at: ended,
  fare: { total: { minor, currency }, base_minor: 0, distance_minor: 0, time_minor: 0, minimum_topup_minor: 0, distance_m: 1000, duration_s: 100 },
} as Trip);

describe('days', () => {
  it('begin at midnight where the driver lives', () => {
    const late = '2026-11-22T20:30:00Z';
    expect(dayOf(late, 'Asia/Seoul')).toBe('2026-11-23');
    expect(dayOf(late, 'America/New_York')).toBe('2026-11-22');
    const trips = [trip(late, 500), trip('2026-11-22T14:00:00Z', 700)];
    expect(sumOf(tripsOn(trips, '2026-11-23', 'Asia/Seoul'))).toEqual([{ currency: 'USD', minor: 500 }]);
    expect(sumOf(tripsOn(trips, '2026-11-22', 'America/New_York'))).toEqual([{ currency: 'USD', minor: 1200 }]);
  });

  it('are counted on the calendar, over the end of a month and of summer time', () => {
    expect(daysBefore('2026-03-01', 1)).toBe('2026-02-28');
    // In New York 2026-11-01 has 25 hours.
    const days = lastDays([trip('2026-11-02T04:30:00Z', 100), trip('2026-11-02T05:30:00Z', 200)], 3, new Date('2026-11-03T04:59:00Z'), 'America/New_York');
    expect(days.map((d) => [d.key, d.trips])).toEqual([['2026-10-31', 0], ['2026-11-01', 1], ['2026-11-02', 1]]);
  });
});

describe('sums', () => {
  it('keep currencies apart, and count completed trips alone', () => {
    const trips = [trip('2026-11-22T10:00:00Z', 500), trip('2026-11-22T10:00:00Z', 9000, 'KRW'), trip('2026-11-22T10:00:00Z', 700), trip('2026-11-22T10:00:00Z', 9999, 'USD', 'cancelled')];
    expect(sumOf(trips)).toEqual([{ currency: 'KRW', minor: 9000 }, { currency: 'USD', minor: 1200 }]);
    const dinars = [trip('2026-11-23T01:00:00Z', 9000, 'KWD'), trip('2026-11-23T02:00:00Z', 1200, 'USD')];
    expect(sumOf(dinars).map((s) => s.currency)).toEqual(['USD', 'KWD']); // 12 dollars, 9 dinars
    expect(tripsOn(trips, '2026-11-22', 'UTC')).toHaveLength(3);
  });

  it('fill the hours between the first trip and the last', () => {
    const hours = hoursOf([trip('2026-11-22T00:10:00Z', 1), trip('2026-11-22T03:50:00Z', 2), trip('2026-11-22T03:55:00Z', 3)], '2026-11-22', 'UTC');
    expect(hours.map((h) => [h.key, h.trips])).toEqual([['0', 1], ['1', 0], ['2', 0], ['3', 2]]);
    expect(hoursOf([], '2026-11-22', 'UTC')).toEqual([]);
  });
});

describe('pages', () => {
  const since = new Date('2026-11-15T00:00:00Z');

  it('are read until they are old enough, and a trip on two of them counts once', async () => {
    const [a, b, old] = [trip('2026-11-22T10:00:00Z', 1), trip('2026-11-20T10:00:00Z', 2), trip('2026-11-13T10:00:00Z', 4)];
    const pages: Record<string, { items: Trip[]; next: string }> = {
      '': { items: [a, b], next: '2' }, 2: { items: [b, old], next: '3' },
    };
    const asked: string[] = [];
    const trips = await collectSince(since, (cursor) => {
      asked.push(cursor);
      const page = pages[cursor];
      return page ? Promise.resolve(page) : Promise.reject(new Error('one page too many'));
    });
    expect(asked).toEqual(['', '2']);
    expect(trips.map((t) => t.id)).toEqual([a.id, b.id, old.id]);
  });

  it('go on past a ride that was asked for the day before it ended', async () => {
    const dayBefore = trip('2026-11-14T12:00:00Z', 1);
    const next = trip('2026-11-15T00:30:00Z', 2);
    const trips = await collectSince(since, (c) => Promise.resolve(c === '' ? { items: [dayBefore], next: 'x' } : { items: [next], next: '' }));
    expect(trips).toHaveLength(2);
  });

  it('end even if the server never ends them', async () => {
    let pages = 0;
    await collectSince(since, () => Promise.resolve({ items: [trip('2026-11-22T10:00:00Z', 1)], next: String(++pages) }));
    expect(pages).toBe(50);
  });
});
