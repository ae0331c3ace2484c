import type { TFunction } from 'i18next';

import type { Schemas } from '../../../api/http';
import { between, took } from '../table/times';

type Explain = Schemas['ExplainView'];
type Offer = Schemas['OfferDetail'];

/** What a search came to, in numbers. Drivers who were asked twice count once. */
export interface SearchCount {
  readonly asked: number;
  /** Of those, how many declined or let it expire, and never took it. */
  readonly refused: number;
  readonly waves: number;
  readonly ring: number;
}

export function countSearch({ offers, waves }: Pick<Explain, 'offers' | 'waves'>): SearchCount {
  const refused = new Set<string>();
  const taken = new Set<string>();
  for (const offer of offers ?? []) {
    if (offer.state === 'declined' || offer.state === 'expired') refused.add(offer.driver_id);
    if (offer.state === 'won' || offer.state === 'accepted') taken.add(offer.driver_id);
  }
  return {
    asked: new Set(offers?.map((o) => o.driver_id)).size,
    refused: [...refused].filter((id) => !taken.has(id)).length,
    waves: waves?.length ?? 0,
    ring: Math.max(0, ...(waves ?? []).map((w) => w.ring)),
  };
}

/** The offer that the trip's driver won, the newest if there are several. */
export function wonOffer({ trip, offers }: Pick<Explain, 'trip' | 'offers'>): Offer | undefined {
  return offers?.findLast((o) => o.state === 'won' && o.driver_id === trip.driver?.id);
}

/**
 * The same in another order: first who has the trip, then who won it before and lost it again, then the rest as they were.
 */
export function winnersFirst<T extends { readonly driver_id: string }>(rows: readonly T[], won: (row: T) => boolean, driver: string | undefined): T[] {
  const rank = (row: T) => (!won(row) ? 2 : row.driver_id === driver ? 0 : 1);
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

/** Why the trip went to its driver, in a sentence or two. `now` matters while the search goes on. */
export function summaryOf(explain: Explain, t: TFunction<'ops'>, now: Date): string {
  const count = countSearch(explain);
  const sentences = [opening(explain, count, t, now)];
  const released = explain.events?.filter((e) => e.kind === 'released').length ?? 0;
  if (released > 0) sentences.push(t('explain.summary.released', { count: released }));
  return sentences.join(' ');
}

function opening(explain: Explain, count: SearchCount, t: TFunction<'ops'>, now: Date): string {
  const { trip } = explain;
  const requested = trip.requested_at ?? now.toISOString();
  const asked = askedText(count, t);
  if (trip.status === 'requested') {
    if (count.waves === 0) return t('explain.summary.beginning');
    return t('explain.summary.searching', { for: took(between(requested, now)), waves: count.waves, ring: count.ring, asked });
  }
  const lasted = took(between(requested, trip.ended_at ?? now));
  if (trip.status === 'expired') return t('explain.summary.expired', { after: lasted, asked });
  if (!trip.driver || !trip.matched_at) return cancelled(trip, t, t('explain.summary.cancelledSearch', { after: lasted, asked, by: cancelledBy(trip, t) }));
  const matched = t('explain.summary.matched', {
    name: trip.driver.first_name, wave: wonOffer(explain)?.wave ?? count.waves, after: took(between(requested, trip.matched_at)), asked,
  });
  if (trip.status !== 'cancelled') return matched;
  return cancelled(trip, t, `${matched} ${t('explain.summary.cancelledLater', { by: cancelledBy(trip, t) })}`);
}

function askedText(count: SearchCount, t: TFunction<'ops'>): string {
  const asked = t('explain.summary.asked', { count: count.asked });
  if (count.asked === 0) return asked;
  const refused = count.refused === 0 ? t('explain.summary.noneRefused') : t('explain.summary.refused', { count: count.refused });
  return t('explain.summary.askedAnd', { asked, refused });
}

const cancelledBy = (trip: Explain['trip'], t: TFunction<'ops'>): string => t(`explain.by.${trip.cancellation?.by ?? 'by_unspecified'}`);

/** Adds the reason that was given with a cancellation. */
function cancelled(trip: Explain['trip'], t: TFunction<'ops'>, sentence: string): string {
  const reason = trip.cancellation?.reason;
  return reason ? `${sentence} ${t('explain.summary.reason', { reason: endText(reason, t) })}` : sentence;
}

/** The words that the server gives as reasons of an end. Everything else is a person's own text. */
const endWords = [
  'taken', 'trip_cancelled', 'trip_expired', 'driver_busy', 'driver_gone', 'too_many_offers', 'driver_held', 'went_offline', 'not_answered', 'driver_no_show', 'rider_no_show',
  'closer_car', 'shorter_waits',
] as const;

/** Why an offer or a trip ended: a word of the server's in the chosen language, or a person's own text. */
export function endText(reason: string, t: TFunction<'ops'>): string {
  const word = endWords.find((w) => w === reason);
  return word ? t(`explain.end.${word}`) : reason;
}
