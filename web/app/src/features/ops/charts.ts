import type { Point, Rates } from './live/samples';

// As on the map: people with any kind of colour vision can distinguish them, and dashes help.
export const strokes = {
  light: ['#0064a8', '#007a5a', '#6f45aa', '#c97700', '#c93c00'],
  dark: ['#5cb8f5', '#2fd3a4', '#b99cf0', '#ffc04d', '#ff7d45'],
} as const;
export const dashes: (number[] | undefined)[] = [undefined, undefined, [8, 4], [3, 3], [2, 5]];

export type { Rates };

/** One line of a chart. `text` is a key under "charts.<chart>". */
export interface Line {
  readonly text: string;
  /** Null leaves a gap: it is not known. */
  readonly value: (point: Point) => number | null;
}

export interface ChartKind {
  readonly id: 'trips' | 'wait' | 'drivers' | 'locations' | 'sessions' | 'commits';
  readonly lines: readonly Line[];
}

const perMinute = (count: (p: Point) => number) => (p: Point) => (p.step_s > 0 ? (count(p) * 60) / p.step_s : null);
/** What only a node that ran can know. */
const live = (value: (p: Point) => number) => (p: Point) => (p.trips_only ? null : value(p));
/** Without a match there is no time to match. */
const waited = (ms: (p: Point) => number) => (p: Point) => (p.matches > 0 ? ms(p) / 1000 : null);

export const charts: readonly ChartKind[] = [
  {
    id: 'trips',
    lines: [
      { text: 'requests', value: perMinute((p) => p.requests) },
      { text: 'matches', value: perMinute((p) => p.matches) },
      { text: 'completions', value: perMinute((p) => p.completions) },
      { text: 'cancellations', value: perMinute((p) => p.cancellations) },
      { text: 'expiries', value: perMinute((p) => p.expiries) },
    ],
  },
  { id: 'wait', lines: [{ text: 'p50', value: waited((p) => p.match_p50_ms) }, { text: 'p90', value: waited((p) => p.match_p90_ms) }] },
  { id: 'drivers', lines: [{ text: 'online', value: live((p) => p.drivers_online) }, { text: 'available', value: live((p) => p.drivers_available) }] },
  { id: 'locations', lines: [{ text: 'rate', value: live((p) => p.locations_per_s) }] },
  { id: 'sessions', lines: [{ text: 'count', value: live((p) => p.sessions) }] },
  { id: 'commits', lines: [{ text: 'mean', value: live((p) => p.commit_mean_ms) }, { text: 'max', value: live((p) => p.commit_max_ms) }] },
];

/** An hour of the day: 08:00. */
export const hourOfDay = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

/** The columns of a chart as uPlot wants them: seconds first, then each line. Gaps in time become gaps in the lines. */
export function columnsOf(points: readonly Point[], { lines }: ChartKind, stepS: number): [number[], ...(number | null)[][]] {
  const times: number[] = [];
  const values: (number | null)[][] = lines.map(() => []);
  let last = Infinity;
  for (const point of points) {
    if (point.end - last > stepS * 2000) {
      times.push(last / 1000 + stepS);
      for (const column of values) column.push(null);
    }
    last = point.end;
    times.push(point.end / 1000);
    // Figures that lack a node's would be a dent that is none.
    lines.forEach(({ value }, i) => values[i]?.push(point.missing ? null : value(point)));
  }
  return [times, ...values];
}

/**
 * What a legend shows: the values of the point `at`, with its time; without one the newest time, and of each line the
 * newest value that is known. A line without any has null.
 */
export function legendOf([times, ...lines]: [number[], ...(number | null)[][]], at: number | null): { end: number | null; values: (number | null)[] } {
  if (at !== null && at < times.length) return { end: times[at] ?? null, values: lines.map((line) => line[at] ?? null) };
  return { end: times.at(-1) ?? null, values: lines.map((line) => line.findLast((v) => v !== null) ?? null) };
}
