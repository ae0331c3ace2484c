import type { RouteStep } from '@hexhail/client';
import type { TFunction } from 'i18next';

import type { Guidance } from './guide';
import { spokenDistance, stepText, type Goal } from './words';

/** How a turn is announced: that it is far, in good time, and when it is to be made. */
export type Stage = 'stay' | 'early' | 'soon' | 'now';

/** What to announce: a stage of a step. */
export interface Prompt {
  readonly step: number;
  readonly stage: Stage;
}

const clamp = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value));
/** A slow car is announced turns as one that drives through a city, in metres per second. */
const slowestMps = 8;
/** A road to stay on for so long is worth a word, in metres. */
const longM = 1500;
/** A turn that comes this soon after another is announced with it, in metres. */
const closeM = 160;

/** Until when each stage is due, in metres before the turn, at a speed. */
export function stagesAt(speedMps: number): Readonly<Record<Exclude<Stage, 'stay'>, number>> {
  const v = Math.max(slowestMps, speedMps);
  return { now: clamp(40, 5 * v, 120), soon: clamp(250, 18 * v, 500), early: clamp(700, 45 * v, 1500) };
}

/** Says each stage of each step of one route once, the nearest that is due; those that were missed are left out. */
export class Prompter {
  #step = -1;
  /** The stages of the step that are over, said or not. */
  #over = new Set<Stage>();

  /** The prompt that is due, if any. Call it with each position. */
  next({ next: step, toM, astray }: Pick<Guidance, 'next' | 'toM' | 'astray'>, speedMps: number): Prompt | null {
    if (astray) return null;
    const began = this.#step < 0;
    const fresh = step !== this.#step;
    if (fresh) {
      this.#step = step;
      this.#over = new Set();
    }
    // Whoever sets out hears the first turn, however far it is.
    const due = this.#due(toM, stagesAt(speedMps), fresh) ?? (began ? 'early' : null);
    if (due === null || this.#over.has(due)) return null;
    // Whoever hears a late prompt does not hear the early one after it.
    for (const stage of order.slice(0, order.indexOf(due) + 1)) this.#over.add(stage);
    return { step, stage: due };
  }

  #due(toM: number, at: ReturnType<typeof stagesAt>, fresh: boolean): Stage | null {
    if (toM <= at.now) return 'now';
    if (toM <= at.soon) return 'soon';
    if (toM <= at.early) return fresh || this.#over.has('stay') ? 'early' : null;
    return fresh && toM >= longM ? 'stay' : null;
  }
}

const order: readonly Stage[] = ['stay', 'early', 'soon', 'now'];

/** A prompt in words. */
export function promptText(t: TFunction<'driver'>, prompt: Prompt, steps: readonly RouteStep[], toM: number, goal: Goal): string {
  const step = steps[prompt.step];
  if (!step) return '';
  const distance = spokenDistance(toM);
  if (prompt.stage === 'stay') {
    const street = steps[prompt.step - 1]?.street ?? '';
    return street === '' ? t('turns.say.stay', { distance }) : t('turns.say.stayOn', { distance, street });
  }
  const action = stepText(t, step, goal);
  const now = prompt.stage === 'now';
  if (step.turn === 'arrive') return now ? t(`turns.say.now.${goal}`) : t(`turns.say.in.${goal}`, { distance });
  const said = now ? t('turns.say.now.turn', { action }) : t('turns.say.in.turn', { distance, action });
  const after = steps[prompt.step + 1];
  if (!after || prompt.stage === 'early' || step.distance_m > closeM) return said;
  return `${said} ${after.turn === 'arrive' ? t(`turns.say.then.${goal}`) : t('turns.say.then.turn', { action: stepText(t, after, goal) })}`;
}
