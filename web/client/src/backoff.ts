const base = 500;
const most = 30_000;

/**
 * How long to wait before an attempt, in milliseconds: a random time up to 0.5 s · 2ⁿ and 30 s. When a server restarts
 * all its clients come back; they should not do so at once.
 *
 * @param attempt how many attempts in a row have failed since the last `connected`
 * @param random from 0 up to, not including, 1
 */
export function backoff(attempt: number, random: () => number): number {
  return random() * Math.min(most, base * 2 ** Math.min(attempt, 16));
}
