import type { ClosedOffer, OpenOffer } from '@hexhail/client';
import { describe, expect, it } from 'vitest';

import { dealt, inOrder, lostOffers, noneShown, secondsUntil, tellLostMs, whyLost, type LostOffer } from './offers';

const offer = (id: string, eta: number, expires = '2026-11-22T15:00:10Z'): OpenOffer => ({
  id, trip_id: `trip-${id}`, pickup_area: { lat: 1, lng: 2 }, pickup_radius_m: 500, pickup_distance_m: 900, pickup_eta_s: eta,
  trip_distance_m: 4000, trip_duration_s: 600, fare: { minor: 1058, currency: 'USD' }, vehicle_class: 'standard', passengers: 1,
  expires_at: expires, wave: 1, rider_rating_x100: 0,
});
const closed = (outcome: ClosedOffer['outcome'], reason = '', id = 'a'): ClosedOffer => ({ offer_id: id, trip_id: `trip-${id}`, outcome, reason, offer: offer(id, 60) });

describe('open offers', () => {
  it('are in the order of their ways, then of their ends', () => {
    const given = [offer('far', 300), offer('late', 60, '2026-11-22T15:00:20Z'), offer('soon', 60)];
    expect(inOrder(given).map((o) => o.id)).toEqual(['soon', 'late', 'far']);
    expect(given[0]?.id).toBe('far');
  });

  it("count down by the server's clock, and not below zero", () => {
    const end = '2026-11-22T15:00:10.500Z';
    expect(secondsUntil(end, Date.parse('2026-11-22T15:00:00Z'))).toBe(10.5);
    expect(secondsUntil(end, Date.parse('2026-11-22T15:01:00Z'))).toBe(0);
  });
});

describe('the offer that is shown', () => {
  const deck = (...ids: string[]) => ids.map((id) => offer(id, 60));

  it('stays while it is open, whatever comes before it', () => {
    const first = dealt(noneShown, deck('b'));
    expect(first).toEqual({ id: 'b', at: 0, by: 'first' });
    expect(dealt(first, deck('b', 'c'))).toBe(first);
    expect(dealt(first, deck('a', 'b', 'c'))).toEqual({ id: 'b', at: 1, by: 'first' });
  });

  it('gives way to the one in its place when it ends, and to none at the end', () => {
    const chosen = { id: 'b', at: 1, by: 'driver' } as const;
    expect(dealt(chosen, deck('a', 'c'))).toEqual({ id: 'c', at: 1, by: 'end' });
    expect(dealt(chosen, deck('a'))).toEqual({ id: 'a', at: 0, by: 'end' });
    expect(dealt(chosen, [])).toBe(noneShown);
    expect(dealt(noneShown, [])).toBe(noneShown);
    // The next request is a first one again: nothing gave way to it.
    expect(dealt(dealt(chosen, []), deck('z')).by).toBe('first');
  });
});

describe('lost offers', () => {
  it.each([
    [closed('withdrawn', 'taken'), 'taken'],
    [closed('withdrawn', 'trip_cancelled'), 'cancelled'],
    [closed('withdrawn', 'trip_expired'), 'tripExpired'],
    [closed('withdrawn', 'driver_busy'), 'busy'],
    [closed('withdrawn', 'driver_gone'), 'gone'],
    [closed('withdrawn', 'a_reason_of_tomorrow'), 'withdrawn'],
    [closed('expired', 'not_answered'), 'expired'],
    [closed('won'), null],
    [closed('declined', 'too far'), null],
    [closed('withdrawn', 'went_offline'), null],
    [closed('withdrawn', 'too_many_offers'), null],
    [closed('withdrawn', 'driver_held'), null],
    [closed('outcome_unspecified'), null],
  ])('say why: %o', (c, why) => expect(whyLost(c)).toBe(why));

  it('are shown for a while, each once, the newest first', () => {
    let lost: readonly LostOffer[] = [];
    lost = lostOffers(lost, { closed: closed('expired', '', 'a'), now: 1000 });
    lost = lostOffers(lost, { closed: closed('withdrawn', 'taken', 'b'), now: 3000 });
    lost = lostOffers(lost, { closed: closed('withdrawn', 'taken', 'b'), now: 3000 });
    expect(lost.map((l) => l.id)).toEqual(['b', 'a']);
    expect(lost[0]?.fare).toEqual({ minor: 1058, currency: 'USD' });
    expect(lostOffers(lost, { tick: 1000 + tellLostMs - 1 })).toBe(lost);
    expect(lostOffers(lost, { tick: 1000 + tellLostMs }).map((l) => l.id)).toEqual(['b']);
    expect(lostOffers(lost, { tick: 3000 + tellLostMs })).toEqual([]);
  });

  it('do not pile up, and leave what the driver did untold', () => {
    let lost: readonly LostOffer[] = [];
    for (const id of ['a', 'b', 'c', 'd', 'e']) lost = lostOffers(lost, { closed: closed('expired', '', id), now: 0 });
    expect(lost).toHaveLength(3);
    expect(lostOffers(lost, { closed: closed('won'), now: 0 })).toBe(lost);
  });
});
