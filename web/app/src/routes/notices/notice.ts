import type { ClosedOffer, Exchange, OpenOffer, Trip } from '@hexhail/client';

import { distance, duration, money } from '../../lib/format';

/** What a notice says when something has happened, wherever in the app people are. */
export interface Notice {
  /** Key of the text in the shell's namespace, under "notice". */
  readonly text: NoticeText;
  readonly values: Readonly<Record<string, string>>;
  readonly tone: 'good' | 'bad' | 'neutral';
  /** Notices of one subject replace each other. */
  readonly subject: string;
  /** Whether it is worth a sound and, when the page is hidden, the system's notification. */
  readonly loud: boolean;
}

export type NoticeText =
  | 'offer' | 'offerTaken' | 'offerExpired' | 'offerWithdrawn'
  | 'matched' | 'arrived' | 'started' | 'completed' | 'completedFare' | 'cancelledByDriver' | 'cancelledByRider'
  | 'cancelled' | 'expired' | 'searchingAgain' | 'youHaveTrip' | 'tripLost'
  | 'closerCar' | 'otherCar' | 'tripToCloser' | 'tripToOther';

type Reader = 'rider' | 'driver';

/** What a new offer says to a driver. */
export function ofOffer(offer: OpenOffer): Notice {
  return {
    text: 'offer',
    values: {
      fare: money(offer.fare),
      away: distance(offer.pickup_distance_m),
      eta: duration(offer.pickup_eta_s),
    },
    tone: 'good',
    subject: `offer-${offer.id}`,
    loud: true,
  };
}

/** What the end of an offer says to a driver; null where the driver did it, and knows. */
export function ofClosedOffer(closed: ClosedOffer): Notice | null {
  const notice = (text: NoticeText): Notice => ({
    text, values: {}, tone: 'neutral', subject: `offer-${closed.offer_id}`, loud: false,
  });
  switch (closed.outcome) {
    case 'withdrawn':
      return notice(closed.reason === 'taken' ? 'offerTaken' : 'offerWithdrawn');
    case 'expired':
      return notice('offerExpired');
    default:
      return null;
  }
}

/** What a change of a trip says to its rider or driver; null where they did it themselves. */
export function ofTrip(trip: Trip, change: string, reader: Reader, exchange?: Exchange): Notice | null {
  const notice = (text: NoticeText, tone: Notice['tone'], values: Record<string, string> = {}): Notice => ({
    text, tone, values, subject: `trip-${trip.id}`, loud: true,
  });
  if (change === 'cancelled') return ofCancellation(trip, reader, notice);
  if (reader === 'driver') return change === 'matched' || change === 'exchanged' ? notice('youHaveTrip', 'good', { name: trip.rider?.first_name ?? '' }) : null;
  const coming = { name: trip.driver?.first_name ?? '', plate: trip.driver?.plate ?? '', eta: duration(trip.pickup_eta_s) };
  switch (change) {
    case 'exchanged':
      return notice(exchange?.reason === 'closer_car' ? 'closerCar' : 'otherCar', 'neutral', coming);
    case 'matched':
      return notice('matched', 'good', coming);
    case 'arrived':
      return notice('arrived', 'good', { name: trip.driver?.first_name ?? '', plate: trip.driver?.plate ?? '' });
    case 'started':
      return notice('started', 'neutral');
    case 'completed':
      return trip.fare ? notice('completedFare', 'good', { fare: money(trip.fare.total) }) : notice('completed', 'good');
    case 'released':
      return notice('searchingAgain', 'bad');
    case 'expired':
      return notice('expired', 'bad');
    default:
      return null;
  }
}

function ofCancellation(
  trip: Trip,
  reader: Reader,
  notice: (text: NoticeText, tone: Notice['tone']) => Notice,
): Notice | null {
  const by = trip.cancellation?.by;
  if (by === reader) return null;
  if (by === 'rider') return notice('cancelledByRider', 'bad');
  if (by === 'driver') return notice('cancelledByDriver', 'bad');
  return notice('cancelled', 'bad');
}

/** What a driver hears when a trip is no longer theirs. */
export function ofTripGone(trip: Trip, why: 'released' | 'unknown', exchange?: Exchange): Notice {
  const text = !exchange ? 'tripLost' : exchange.reason === 'closer_car' ? 'tripToCloser' : 'tripToOther';
  return {
    text, values: {}, tone: 'neutral', subject: `trip-${trip.id}`, loud: why === 'unknown' || exchange !== undefined,
  };
}
