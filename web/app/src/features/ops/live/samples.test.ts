import { describe, expect, it } from 'vitest';

import { addPoint, pointOf, ratesOf, type Point } from './samples';

const point = (end: number, more: Partial<Point> = {}): Point => ({
  end: end * 1000, step_s: 10, requests: 0, matches: 0, completions: 0, cancellations: 0, expiries: 0, match_mean_ms: 0, match_p50_ms: 0,
  match_p90_ms: 0, drivers_online: 0, drivers_available: 0, trips_live: 0, sessions: 0, locations_per_s: 0, commit_mean_ms: 0,
  commit_max_ms: 0, trips_only: false, ...more,
});
const ends = (points: readonly Point[]) => points.map((p) => p.end / 1000);

describe('points of the charts', () => {
  it('grow by what is pushed, and lose what is too old', () => {
    let points: readonly Point[] = [point(10), point(20)];
    points = addPoint(points, point(30), 10, 25);
    expect(ends(points)).toEqual([10, 20, 30]);
    expect(ends(addPoint(points, point(40), 10, 25))).toEqual([20, 30, 40]);
  });

  it('do not change by what is known already', () => {
    const points = [point(10), point(20)];
    expect(addPoint(points, point(20, { requests: 5 }), 10, 100)).toBe(points);
  });

  it('are joined within a longer step: counts added, means weighted', () => {
    const first = point(70, { requests: 2, matches: 3, match_p90_ms: 100, drivers_online: 10, commit_max_ms: 9 });
    const points = addPoint([point(60), first], point(80, { requests: 1, matches: 1, match_p90_ms: 200, drivers_online: 20, commit_max_ms: 4 }), 60, 600);
    expect(ends(points)).toEqual([60, 80]);
    expect(points[1]).toMatchObject({ step_s: 20, requests: 3, matches: 4, match_p90_ms: 125, drivers_online: 15, commit_max_ms: 9 });
    expect(addPoint([point(80, { missing: { count: 1 } })], point(90), 60, 600)[0]?.missing).toEqual({ count: 1 });
    expect(ends(addPoint(points, point(130), 60, 600))).toEqual([60, 80, 130]);
  });

  it('need a time', () => {
    expect(pointOf(point(0))).toBeNull();
    expect(pointOf({ ...point(0), at: '1970-01-01T00:00:10Z' })?.end).toBe(10_000);
  });

  it('give rates by the minute', () => {
    expect(ratesOf([], 60)).toBeNull();
    const points = [point(10, { requests: 100 }), point(60, { requests: 3, matches: 2, match_mean_ms: 3000 }), point(70, { requests: 1, matches: 1, match_mean_ms: 6000, expiries: 1 })];
    expect(ratesOf(points, 60)).toEqual({ requestsPerMinute: 12, matchesPerMinute: 9, expired: 1, meanMatchS: 4 });
    expect(ratesOf([point(10)], 60)?.meanMatchS).toBeNull();
  });
});
