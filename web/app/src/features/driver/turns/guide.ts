import type { RouteStep } from '@hexhail/client';

import type { Way } from '../../../lib/map';

/** A car further from its way than this, and than its position is accurate, has left it, in metres. */
const leftWayM = 60;
/** A turn that lies this little behind is still the one to make: positions jitter, in metres. */
const passedM = 8;

/** Where a driver is in the steps of a route. */
export interface Guidance {
  /** The step to begin next: the turn to make. The last one, to arrive, once nothing else is left. */
  readonly next: number;
  /** How far it is to that turn, in metres. */
  readonly toM: number;
  /** What is left of the route, in metres and seconds. */
  readonly leftM: number;
  readonly leftS: number;
  /** Whether the car is elsewhere: another route is about to come. */
  readonly astray: boolean;
}

/** Where each step begins, in metres along the way. */
export function beginnings(way: Way, steps: readonly RouteStep[]): readonly number[] {
  return steps.map((s) => way.alongM[Math.min(s.index, way.alongM.length - 1)] ?? 0);
}

/** What a driver has to do who is so far along the way, and so far beside it. */
export function guide(way: Way, steps: readonly RouteStep[], at: { readonly alongM: number; readonly awayM: number; readonly accuracyM: number }): Guidance {
  const begins = beginnings(way, steps);
  const last = steps.length - 1;
  // The first step is behind who drives, unless it is to turn round.
  const turning = steps[0]?.turn === 'round' && at.alongM <= 2 * passedM;
  const ahead = turning ? 0 : begins.findIndex((m, i) => i > 0 && m > at.alongM - passedM);
  const next = ahead < 0 ? last : ahead;
  return {
    next,
    toM: Math.max(0, (begins[next] ?? way.lengthM) - at.alongM),
    leftM: Math.max(0, way.lengthM - at.alongM),
    leftS: secondsLeft(steps, begins, way.lengthM, at.alongM),
    astray: at.awayM > leftWayM + at.accuracyM,
  };
}

/** The time for what is left: the rest of the step under way, and all that follow. */
function secondsLeft(steps: readonly RouteStep[], begins: readonly number[], lengthM: number, alongM: number): number {
  return steps.reduce((sum, step, i) => {
    const [from, to] = [begins[i] ?? 0, begins[i + 1] ?? lengthM];
    const share = to <= from ? 0 : Math.min(1, Math.max(0, (to - alongM) / (to - from)));
    return sum + step.duration_s * (alongM < from ? 1 : share);
  }, 0);
}
