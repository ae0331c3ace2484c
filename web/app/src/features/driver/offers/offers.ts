import type { ClosedOffer, Money, OpenOffer } from '@hexhail/client';

/** Offers as a driver should look at them: the nearest pickup first, then the one that ends first. */
export function inOrder(offers: readonly OpenOffer[]): readonly OpenOffer[] {
  return [...offers].sort((a, b) =>
    a.pickup_eta_s - b.pickup_eta_s || Date.parse(a.expires_at) - Date.parse(b.expires_at) || (a.id < b.id ? -1 : 1));
}

/** Seconds until a time, never less than 0; `now` is the server's, in milliseconds. */
export function secondsUntil(at: string, now: number): number {
  return Math.max(0, (Date.parse(at) - now) / 1000);
}

/** Which of several offers is shown, and why. */
export interface Shown {
  readonly id: string | null;
  /** Its place among the open ones; -1 without any. */
  readonly at: number;
  /** `first`: there was none before; `driver`: chosen; `end`: the one before it ended. */
  readonly by: 'first' | 'driver' | 'end';
}

export const noneShown: Shown = { id: null, at: -1, by: 'first' };

/** What is shown once the open offers are these, in order: the same as before as long as it is open, else the one in its place. */
export function dealt(before: Shown, offers: readonly OpenOffer[]): Shown {
  if (offers.length === 0) return before.id === null ? before : noneShown;
  const at = offers.findIndex((o) => o.id === before.id);
  if (at >= 0) return at === before.at ? before : { ...before, at };
  const next = Math.min(Math.max(0, before.at), offers.length - 1);
  return { id: offers[next]?.id ?? null, at: next, by: before.id === null ? 'first' : 'end' };
}

/** An offer that ended without this driver's doing, and until when the driver sees it. */
export interface LostOffer {
  readonly id: string;
  readonly why: LostWhy;
  readonly fare: Money | undefined;
  /** This device's clock, in milliseconds. */
  readonly until: number;
}

/** Keys of the texts under "lost". */
export type LostWhy = 'taken' | 'cancelled' | 'expired' | 'tripExpired' | 'busy' | 'gone' | 'withdrawn';

/** How long a lost offer stays on the screen, in milliseconds. */
export const tellLostMs = 8000;
const mostLost = 3;

/** Why an offer was lost; null if the driver won or declined it, or went offline: drivers know what they did. */
export function whyLost(closed: ClosedOffer): LostWhy | null {
  if (closed.outcome === 'expired') return 'expired';
  if (closed.outcome !== 'withdrawn') return null;
  switch (closed.reason) {
    case 'taken':
      return 'taken';
    case 'trip_cancelled':
      return 'cancelled';
    case 'trip_expired':
      return 'tripExpired';
    case 'driver_busy':
      return 'busy';
    case 'driver_gone':
      return 'gone';
    case 'went_offline':
    case 'too_many_offers': // these were never shown
    case 'driver_held':
      return null;
    default:
      return 'withdrawn';
  }
}

/** What happens to the list of lost offers. */
export type LostChange =
  | { readonly closed: ClosedOffer; readonly now: number }
  | { readonly tick: number };

/** The lost offers that are still shown, the newest first. The same array if nothing changes. */
export function lostOffers(before: readonly LostOffer[], change: LostChange): readonly LostOffer[] {
  if ('tick' in change) {
    const left = before.filter((l) => l.until > change.tick);
    return left.length === before.length ? before : left;
  }
  const why = whyLost(change.closed);
  if (!why) return before;
  const { offer_id: id, offer } = change.closed;
  const lost: LostOffer = { id, why, fare: offer?.fare, until: change.now + tellLostMs };
  return [lost, ...before.filter((l) => l.id !== id)].slice(0, mostLost);
}
