import type { TFunction } from 'i18next';

import type { Schemas } from '../../../api/http';

type Candidate = Schemas['CandidateView'];

/** How a candidate is drawn: the winner, others who were asked, who could have been, who could not. */
export const decisions = ['won', 'asked', 'passed', 'unavailable'] as const;
export type Decision = (typeof decisions)[number];

const away: ReadonlySet<Candidate['reason']> = new Set(['too_far', 'busy', 'position_stale', 'offers_full', 'held', 'no_way', 'beyond_eta']);

export function decisionOn(candidate: Candidate): Decision {
  if (candidate.outcome === 'won') return 'won';
  if (candidate.offered) return 'asked';
  return away.has(candidate.reason) ? 'unavailable' : 'passed';
}

/** Colours that people with any kind of colour vision can distinguish, also on the dark map. */
export const decisionColors: Readonly<Record<Decision, string>> = { won: '#0f9d58', asked: '#e08a00', passed: '#4c7fd6', unavailable: '#8a8f98' };

/** Why, or why not, in plain words. */
export function reasonText(candidate: Pick<Candidate, 'reason'>, vehicleClass: string, t: TFunction<'ops'>): string {
  return t(`explain.reason.${candidate.reason}`, { vehicleClass });
}
