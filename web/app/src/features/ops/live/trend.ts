import type { ActorKind } from '@hexhail/client';

/** How many values of the past are kept: two minutes, by one every 2 seconds. */
const kept = 60;

/** The messages per second of each kind in the last minutes, oldest first. */
export type Trends = ReadonlyMap<string, readonly number[]>;

/** Adds the latest figures of all kinds. */
export function addTrend(trends: Trends, kinds: readonly ActorKind[]): Trends {
  return new Map(kinds.map(({ kind, messages_per_s }) => [kind, [...(trends.get(kind) ?? []), messages_per_s].slice(-kept)]));
}

/** The points of a line in a box, for SVG. One value alone is a flat line. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  const most = Math.max(...values, 1e-9);
  const line = values.length === 1 ? [values[0] ?? 0, values[0] ?? 0] : values;
  return line.map((value, i) => `${((i / (line.length - 1)) * width).toFixed(1)},${(height - (value / most) * height).toFixed(1)}`).join(' ');
}
