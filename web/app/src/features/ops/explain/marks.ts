import type { TFunction } from 'i18next';

import type { Schemas } from '../../../api/http';
import { distance } from '../../../lib/format';

type Mark = Schemas['Mark'];
export type Step = 'arrival' | 'completion';

/** From so far on, beyond what the position itself may be off, a mark stands out, in metres. */
const farM: Readonly<Record<Step, number>> = { arrival: 150, completion: 300 };

/** Whether the driver was away from the place on saying to be there. */
export function isFar(step: Step, mark: Mark): boolean {
  return mark.located && mark.distance_m > farM[step] + mark.accuracy_m;
}

/** A position that is older than this is said to be, in seconds. */
const oldS = 10;

const words = ['rider_asked', 'road_closed', 'wrong_place', 'wrong_position', 'other'] as const;

/** Where the driver was, how sure that is, and why there: "790 m from the pickup · ±8 m · Road closed". */
export function markText(step: Step, mark: Mark, t: TFunction<'ops'>): string {
  const word = words.find((w) => w === mark.reason);
  return [
    mark.located ? t(`explain.mark.${step}`, { distance: distance(mark.distance_m) }) : t('explain.mark.unknown'),
    ...(mark.located && mark.accuracy_m > 0 ? [`±${distance(mark.accuracy_m)}`] : []),
    ...(mark.located && mark.age_s > oldS ? [t('explain.mark.old', { count: mark.age_s })] : []),
    ...(mark.reason ? [word ? t(`explain.mark.reason.${word}`) : mark.reason] : []),
  ].join(' · ');
}

/** What was recorded of a step of a trip's log, if anything was: `data.mark` of an event, with distances as the domain has them. */
export function markOfEvent(data: Readonly<Record<string, unknown>> | undefined): Mark | null {
  const mark = data?.mark;
  if (typeof mark !== 'object' || mark === null) return null;
  const of = mark as Readonly<Record<string, unknown>>;
  const figure = (name: string) => (typeof of[name] === 'number' ? of[name] : 0);
  return {
    located: of.located === true, distance_m: Math.round(figure('distance_m')), accuracy_m: Math.round(figure('accuracy_m')), age_s: Math.round(figure('age_ns') / 1e9),
    reason: typeof of.reason === 'string' ? of.reason : '',
  };
}
