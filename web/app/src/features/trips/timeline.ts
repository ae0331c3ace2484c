import type { TFunction } from 'i18next';

import type { Schemas } from '../../api/http';
import { distance } from '../../lib/format';
import { reachOf, reasonText, type Reader } from '../../lib/trip/words';

export type TripEvent = Schemas['EventView'];

/** One line of a trip's story. */
export interface Step {
  readonly key: string;
  readonly kind: TripEvent['kind'];
  readonly at: string;
  readonly text: string;
  /** What else there is to say, such as a reason. */
  readonly detail?: string;
}

type T = TFunction<'trips'>;

/**
 * Puts a trip's events into words, as its rider or its driver saw them.
 *
 * `cellRingM` is how far a ring of cells reaches, in metres. A search that finds no driver plans a round every few seconds; empty rounds become one line.
 */
export function story(t: T, events: readonly TripEvent[], reader: Reader, cellRingM = 0): Step[] {
  const steps: Step[] = [];
  let emptyRounds = 0;
  for (const event of events) {
    if (event.kind === 'offers_ended') continue; // the next wave says the same
    const empty = event.kind === 'wave_planned' && !event.asked;
    if (empty && emptyRounds > 0) {
      emptyRounds++;
      const last = steps.pop();
      if (last) steps.push({ ...last, text: t('story.noDrivers', { count: emptyRounds }) });
      continue;
    }
    emptyRounds = empty ? 1 : 0;
    const detail = detailOf(t, event, cellRingM);
    steps.push({
      key: String(event.version), kind: event.kind, at: event.at, text: textOf(t, event, reader),
      ...(detail ? { detail } : {}),
    });
  }
  return steps;
}

function textOf(t: T, event: TripEvent, reader: Reader): string {
  switch (event.kind) {
    case 'wave_planned':
      return event.asked ? t('story.asked', { count: event.asked }) : t('story.noDrivers', { count: 1 });
    case 'released':
      if (event.by && event.by !== 'driver') return t('story.released.other');
      return t(`story.released.${reader}`);
    case 'completed':
      return event.by === 'system' ? t('story.completedBySystem') : t(`story.completed.${reader}`);
    case 'cancelled':
      return t(`story.cancelled.${cancelledBy(event, reader)}`);
    case 'rated':
      return t('story.rated', { count: event.stars ?? 0 });
    case 'accepted':
      return t('story.accepted');
    case 'expired':
      return t('story.expired');
    case 'requested':
    case 'matched':
    case 'exchanged':
    case 'arrived':
    case 'started':
      return t(`story.${event.kind}.${reader}`);
    default:
      return t('story.changed');
  }
}

function cancelledBy(event: TripEvent, reader: Reader): 'you' | 'rider' | 'operator' | 'system' {
  if (event.by === reader) return 'you';
  switch (event.by) {
    case 'rider':
    case 'operator':
      return event.by;
    default:
      return 'system';
  }
}

function detailOf(t: T, event: TripEvent, cellRingM: number): string {
  if (event.kind === 'wave_planned' && event.asked && event.ring && cellRingM > 0) {
    return t('story.within', { distance: distance(reachOf(event.ring, cellRingM)) });
  }
  if (event.kind === 'exchanged' && (event.reason === 'closer_car' || event.reason === 'shorter_waits')) return t(`story.why.${event.reason}`);
  if (event.kind === 'cancelled') return reasonText(t, event.by ?? '', event.reason ?? '');
  return '';
}
