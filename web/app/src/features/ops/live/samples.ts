import type { Sample } from '@hexhail/client';

/** What `GET /v1/admin/series` and a watch say of a step of time, in one form. */
export type Point = Omit<Sample, 'at'> & { /** When the step ended, in milliseconds since 1970. */ readonly end: number };

/** Reads a sample; null for one without a time. */
export function pointOf(sample: Sample): Point | null {
  const { at, ...rest } = sample;
  return at ? { ...rest, end: Date.parse(at) } : null;
}

/**
 * Adds a new sample to points of `stepS` seconds each, oldest first, and drops those that are older than `rangeS` by
 * then. A sample that is known already, as after a reconnect, changes nothing.
 */
export function addPoint(points: readonly Point[], sample: Point, stepS: number, rangeS: number): readonly Point[] {
  const last = points.at(-1);
  if (last && sample.end <= last.end) return points;
  const kept = points.filter((p) => p.end > sample.end - rangeS * 1000);
  const step = (end: number) => Math.ceil(end / (stepS * 1000));
  if (last && kept.length > 0 && step(last.end) === step(sample.end)) return [...kept.slice(0, -1), joined(last, sample)];
  return [...kept, sample];
}

const counted = ['requests', 'matches', 'completions', 'cancellations', 'expiries'] as const;
const meant = ['drivers_online', 'drivers_available', 'trips_live', 'sessions', 'locations_per_s', 'commit_mean_ms'] as const;
// Percentiles cannot be joined. Their mean by matches is close enough for the one step that is not over yet.
const matched = ['match_mean_ms', 'match_p50_ms', 'match_p90_ms'] as const;

/** Two steps as one: counts added, means weighted. */
function joined(a: Point, b: Point): Point {
  const mean = (x: number, y: number, wx: number, wy: number) => (wx + wy > 0 ? (x * wx + y * wy) / (wx + wy) : 0);
  const out = { ...b, step_s: a.step_s + b.step_s, commit_max_ms: Math.max(a.commit_max_ms, b.commit_max_ms), trips_only: a.trips_only && b.trips_only, missing: b.missing ?? a.missing };
  for (const name of counted) out[name] = a[name] + b[name];
  for (const name of meant) out[name] = mean(a[name], b[name], a.step_s, b.step_s);
  for (const name of matched) out[name] = mean(a[name], b[name], a.matches, b.matches);
  return out;
}

/** What the last minutes were like. */
export interface Rates {
  readonly requestsPerMinute: number;
  readonly matchesPerMinute: number;
  readonly expired: number;
  /** Mean time from request to match in seconds; null when nothing was matched. */
  readonly meanMatchS: number | null;
}

/** Rates over the last `seconds` of points; null while there are none. */
export function ratesOf(points: readonly Point[], seconds: number): Rates | null {
  const newest = points.at(-1);
  if (!newest) return null;
  const recent = points.filter((p) => p.end > newest.end - seconds * 1000);
  const sum = (of: (p: Point) => number) => recent.reduce((total, p) => total + of(p), 0);
  const minutes = sum((p) => p.step_s) / 60;
  const matches = sum((p) => p.matches);
  if (minutes === 0) return null;
  return {
    requestsPerMinute: sum((p) => p.requests) / minutes,
    matchesPerMinute: matches / minutes,
    expired: sum((p) => p.expiries),
    meanMatchS: matches > 0 ? sum((p) => p.match_mean_ms * p.matches) / matches / 1000 : null,
  };
}
