import type { RouteStep } from '@hexhail/client';
import i18next, { type TFunction } from 'i18next';

import { distance } from '../../../lib/format';

type T = TFunction<'driver'>;

/** What a step asks for, as its icon and its words name it. */
export type Move = Exclude<RouteStep['turn'], 'turn_unspecified' | 'arrive'> | 'enter' | 'atPickup' | 'atDropoff';

/** Which end of the trip the route leads to. */
export type Goal = 'pickup' | 'dropoff';

const known: ReadonlySet<string> = new Set<Move>([
  'depart', 'round', 'sharp_left', 'left', 'slight_left', 'straight', 'slight_right', 'right', 'sharp_right', 'roundabout',
]);

/** What to do at a step's beginning. A turn that a newer server names is a way to go on. */
export function moveOf(step: RouteStep, goal: Goal): Move {
  if (step.turn === 'arrive') return goal === 'pickup' ? 'atPickup' : 'atDropoff';
  if (step.turn === 'roundabout' && step.exit === 0) return 'enter';
  return known.has(step.turn) ? (step.turn as Move) : 'straight';
}

/** A step as a sentence: Turn left onto West 42nd Street. */
export function stepText(t: T, step: RouteStep, goal: Goal): string {
  const move = moveOf(step, goal);
  if (move === 'atPickup' || move === 'atDropoff') return t(`turns.do.${move}`);
  const values = { exit: step.exit, street: step.street };
  return step.street === '' ? t(`turns.do.${move}`, values) : t(`turns.onto.${move}`, values);
}

/** Whole steps in which a distance is counted down, in metres: the farther, the coarser. */
function rounded(metres: number): number {
  const step = metres < 300 ? 10 : 50;
  return Math.max(step, Math.round(metres / step) * step);
}

/** A distance to a turn, as it is shown: 40 m, 350 m, 1.2 km. */
export function turnDistance(metres: number): string {
  return distance(metres < 975 ? rounded(metres) : metres < 1000 ? 1000 : metres);
}

/** The same in whole words, to be spoken. */
export function spokenDistance(metres: number): string {
  const far = metres >= 975;
  return new Intl.NumberFormat(i18next.resolvedLanguage ?? 'en', {
    style: 'unit', unit: far ? 'kilometer' : 'meter', unitDisplay: 'long', maximumFractionDigits: far && metres < 10_000 ? 1 : 0,
  }).format(far ? metres / 1000 : rounded(metres));
}
