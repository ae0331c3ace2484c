import { readJson, writeJson } from './stored';

/** Where a driver's position comes from. */
export type Source = 'browser' | 'simulated';

/** What the driver chose, kept for the next visit. */
export interface DriveChoice {
  readonly source: Source;
  /** How many times faster than a city a simulated car drives. */
  readonly pace: number;
}

const key = 'hexhail.drive';

/** The paces to choose from. An ordinary server holds back cars that are faster than cars can be. */
export function pacesFor(demo: { visitor_speed: number } | undefined): readonly number[] {
  if (!demo) return [1, 2, 5];
  const own = Math.round(Math.min(60, Math.max(1, demo.visitor_speed)));
  return [...new Set([1, 5, 10, 20, 40, 60, own])].sort((a, b) => a - b);
}

/**
 * What was chosen here before, as far as it can be had now; else what suits the server. Where the server allows no
 * simulated cars (`simulated` of `/v1/config`) the device is the only source, whatever is stored.
 */
export function readChoice(demo: { visitor_speed: number } | undefined, simulated: boolean): DriveChoice {
  if (!simulated) return { source: 'browser', pace: 1 };
  const stored = (readJson(localStorage, key) ?? {}) as Partial<DriveChoice>;
  const paces = pacesFor(demo);
  const usual = demo ? Math.round(Math.min(60, Math.max(1, demo.visitor_speed))) : 1;
  return {
    source: stored.source === 'browser' || stored.source === 'simulated' ? stored.source : demo ? 'simulated' : 'browser',
    pace: stored.pace !== undefined && paces.includes(stored.pace) ? stored.pace : usual,
  };
}

export function keepChoice(choice: DriveChoice): void {
  writeJson(localStorage, key, choice);
}
