import { describe, expect, it } from 'vitest';

import { charts, columnsOf, legendOf } from './charts';
import type { Point } from './live/samples';

const point = (end: number, more: Partial<Point> = {}): Point => ({
  end: end * 1000, step_s: 10, requests: 0, matches: 0, completions: 0, cancellations: 0, expiries: 0, match_mean_ms: 0, match_p50_ms: 0,
  match_p90_ms: 0, drivers_online: 7, drivers_available: 0, trips_live: 0, sessions: 0, locations_per_s: 0, commit_mean_ms: 0,
  commit_max_ms: 0, trips_only: false, ...more,
});
const columns = (id: string, points: Point[]) => {
  const kind = charts.find((chart) => chart.id === id);
  if (!kind) throw new Error(`no chart ${id}`);
  return columnsOf(points, kind, 10);
};

describe('charts', () => {
  it('count trips by the minute, whatever the length of a step', () => {
    const [times, requests] = columns('trips', [point(10, { requests: 2 }), point(20, { requests: 2, step_s: 60 })]);
    expect([times, requests]).toEqual([[10, 20], [12, 2]]);
  });

  it('leave out what is not known: waits without a match, drivers before the start', () => {
    const points = [point(10, { trips_only: true, matches: 1, match_p50_ms: 1500 }), point(20)];
    expect(columns('wait', points)[1]).toEqual([1.5, null]);
    expect(columns('drivers', points)[1]).toEqual([null, 7]);
  });

  it('leave a gap where the figures of a server are missing, not a dent', () => {
    const points = [point(10), point(20, { missing: { count: 1 }, drivers_online: 4, requests: 1 }), point(30)];
    expect(columns('drivers', points)[1]).toEqual([7, null, 7]);
    expect(columns('trips', points)[1]).toEqual([0, null, 0]);
  });

  it('draw no line across a time without points', () => {
    expect(columns('drivers', [point(10), point(20), point(90)]).slice(0, 2)).toEqual([[10, 20, 30, 90], [7, 7, null, 7]]);
  });
});

describe('a legend', () => {
  const data: [number[], ...(number | null)[][]] = [[10, 20, 30], [1, 2, null], [null, null, null], [7, 8, 9]];

  it('shows the newest values that are known while nothing is pointed at', () => {
    expect(legendOf(data, null)).toEqual({ end: 30, values: [2, null, 9] });
    expect(legendOf([[], []], null)).toEqual({ end: null, values: [null] });
  });

  it('shows what somebody points at', () => {
    expect(legendOf(data, 0)).toEqual({ end: 10, values: [1, null, 7] });
    expect(legendOf(data, 7).end).toBe(30);
  });
});
