import type { AcceptPending, Offer, OfferClosed } from '../gen/messages.js';
import type { ClosedOffer, OpenOffer } from '../view.js';
import { remember, unchanged, withView, type Change, type Knowledge, type Step } from './knowledge.js';

const mostClosed = 32;
const mostEnding = 64;

/** Takes a new offer, unless it is open or was closed. */
export function takeOffer(knowledge: Knowledge, offer: Offer, replayed: boolean): Step {
  const { openOffers, closedOffers } = knowledge.view;
  const known = openOffers.some(({ id }) => id === offer.id) || closedOffers.some(({ offer_id }) => offer_id === offer.id);
  if (known || knowledge.endingOffers.has(offer.id)) return unchanged(knowledge);
  // The snapshot is newer than what is replayed: an offer that it does not show has ended, as a later event says.
  if (replayed) return unchanged(ending(knowledge, offer));
  return { knowledge: withView(knowledge, { openOffers: [...openOffers, offer] }), changes: [{ name: 'offer', event: offer }] };
}

/** Takes the one end of an offer. */
export function takeClosed(knowledge: Knowledge, { offer_id, trip_id, outcome, reason }: OfferClosed): Step {
  const { openOffers, closedOffers } = knowledge.view;
  if (closedOffers.some((closed) => closed.offer_id === offer_id)) return unchanged(knowledge);
  const offer = openOffers.find(({ id }) => id === offer_id) ?? knowledge.endingOffers.get(offer_id);
  return close(knowledge, { offer_id, trip_id, outcome, reason, ...(offer && { offer }) });
}

/** Takes the open offers of a snapshot, which are all there are. */
export function takeSnapshotOffers(before: Knowledge, offers: readonly Offer[]): Step {
  const known = new Map(before.view.openOffers.map((offer) => [offer.id, offer]));
  const listed = new Set(offers.map(({ id }) => id));
  const openOffers: OpenOffer[] = offers.map((offer) => known.get(offer.id) ?? offer);
  const closedOffers = before.view.closedOffers.filter(({ offer_id }) => !listed.has(offer_id));
  let knowledge = withView(before, { openOffers, closedOffers });
  for (const offer of known.values()) if (!listed.has(offer.id)) knowledge = ending(knowledge, offer);
  const endingOffers = new Map([...knowledge.endingOffers].filter(([id]) => !listed.has(id)));
  const fresh = openOffers.filter(({ id }) => !known.has(id));
  return { knowledge: { ...knowledge, endingOffers }, changes: fresh.map((event): Change => ({ name: 'offer', event })) };
}

/** Closes the offers whose ends will never be reported. */
export function settleOffers(before: Knowledge): Step {
  let knowledge = before;
  const changes: Change[] = [];
  for (const offer of before.endingOffers.values()) {
    const closed = { offer_id: offer.id, trip_id: offer.trip_id, outcome: 'outcome_unspecified', reason: '', offer } as const;
    const step = close(knowledge, closed);
    knowledge = step.knowledge;
    changes.push(...step.changes);
  }
  return { knowledge, changes };
}

/** Takes an offer off the screen; the server will report how it ended. */
export function withdraw(knowledge: Knowledge, offerId: string): Step {
  const offer = knowledge.view.openOffers.find(({ id }) => id === offerId);
  if (!offer) return unchanged(knowledge);
  return unchanged(ending(withView(knowledge, { openOffers: others(knowledge, offerId) }), offer));
}

/** Marks an offer as accepted, and not decided yet. */
export function awaitAward(knowledge: Knowledge, { offer_id, award_at }: AcceptPending): Step {
  const openOffers = knowledge.view.openOffers.map((offer) => (offer.id === offer_id ? { ...offer, award_at } : offer));
  return unchanged(withView(knowledge, { openOffers }));
}

/** Takes the offers off the screen whose time is over by `now`, the server's, in milliseconds. */
export function expireOffers(knowledge: Knowledge, now: number): Step {
  const over = knowledge.view.openOffers.filter((offer) => expiryOf(offer) <= now);
  return unchanged(over.reduce((after, { id }) => withdraw(after, id).knowledge, knowledge));
}

/** When the next offer leaves the screen by itself, by the server's clock in milliseconds; Infinity if none does. */
export function nextExpiry(knowledge: Knowledge): number {
  return Math.min(Infinity, ...knowledge.view.openOffers.map(expiryOf));
}

// One that was accepted stays until its award is known.
const expiryOf = (offer: OpenOffer): number => (offer.award_at ? Infinity : Date.parse(offer.expires_at));

const others = (knowledge: Knowledge, offerId: string) => knowledge.view.openOffers.filter(({ id }) => id !== offerId);

const ending = (knowledge: Knowledge, offer: Offer): Knowledge => ({
  ...knowledge,
  endingOffers: remember(knowledge.endingOffers, offer.id, offer, mostEnding),
});

function close(knowledge: Knowledge, closed: ClosedOffer): Step {
  const endingOffers = new Map(knowledge.endingOffers);
  endingOffers.delete(closed.offer_id);
  const closedOffers = [closed, ...knowledge.view.closedOffers].slice(0, mostClosed);
  const openOffers = others(knowledge, closed.offer_id);
  return {
    knowledge: withView({ ...knowledge, endingOffers }, { openOffers, closedOffers }),
    changes: [{ name: 'offerClosed', event: closed }],
  };
}
