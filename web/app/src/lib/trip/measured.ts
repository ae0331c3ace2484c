import type { FareBreakdown, Mark, Trip } from '@hexhail/client';
import type { TFunction } from 'i18next';

import { distance } from '../format';

type T = TFunction<'trips'>;

/** How the fare's distance was found, for people; empty for trips of before that was kept. */
export function basisText(t: T, fare: FareBreakdown): string {
  switch (fare.basis) {
    case 'streets':
      return t('fare.basis.streets');
    case 'measured':
      return [t('fare.basis.measured'), offStreets(t, fare)].filter(Boolean).join(' ');
    case 'partly_estimated':
      return t('fare.basis.partly', { measured: distance(fare.measured_m), estimated: distance(fare.estimated_m) });
    case 'estimated':
      return t('fare.basis.estimated');
    default:
      return '';
  }
}

/** Why the length along streets does not count; empty where nobody asked for it. */
function offStreets(t: T, { street_check: check }: FareBreakdown): string {
  switch (check?.verdict) {
    case 'off_streets':
    case 'late':
      return t(`fare.notOnStreets.${check.verdict}`);
    case 'shorter':
    case 'longer':
      return t('fare.notOnStreets.unlike', { distance: distance(check.length_m) });
    default:
      return '';
  }
}

/** From so far on, beyond what the position itself may be off, people are shown where a driver was, in metres. */
const worthSayingM = { arrival: 150, completion: 300 } as const;

/** Where the driver was on saying to have arrived and on ending the ride, in sentences; none where that was at the place. */
export function markTexts(t: T, trip: Pick<Trip, 'arrival' | 'completion'>): string[] {
  return (['arrival', 'completion'] as const).flatMap((step) => {
    const mark = trip[step];
    if (!mark?.located || mark.distance_m <= worthSayingM[step] + mark.accuracy_m) return [];
    const sentence = t(`mark.${step}`, { distance: distance(mark.distance_m) });
    const reason = markReason(t, mark);
    return [reason === '' ? sentence : `${sentence} ${t('mark.reason', { reason })}`];
  });
}

const knownReasons = ['rider_asked', 'road_closed', 'wrong_place', 'wrong_position', 'other'] as const;

/** The driver's reason: a word that all apps know translated, any other as it is. */
function markReason(t: T, { reason }: Mark): string {
  const known = knownReasons.find((r) => r === reason);
  return known ? t(`mark.reasons.${known}`) : reason;
}
