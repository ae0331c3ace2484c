import type { CityTrip } from '@hexhail/client';
import { describe, expect, it, vi } from 'vitest';

import { belongs, followed, Missing, type TripRow } from './follow';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const noon = new Date(at(0));

const row = (id: string, minute: number, more: Partial<TripRow> = {}) =>
  ({ id, version: 1, status: 'requested', requested_at: at(minute), rider: { id: 'r', first_name: 'Mina' }, ...more }) as TripRow;
const fed = (id: string, version: number, more: Partial<CityTrip> = {}): CityTrip =>
  ({ id, version, status: 'requested', vehicle_class: 'standard', rider_id: 'r', driver_id: '', requested_at: at(-1), ...more });

describe('a followed row', () => {
  it('is itself while nothing newer is known', () => {
    const before = row('t', 0, { version: 4 });
    expect(followed(before, undefined)).toBe(before);
    expect(followed(before, fed('t', 4, { status: 'matched' }))).toBe(before);
  });

  it('takes what the feed says, and keeps what only the list knows', () => {
    const after = followed(row('t', 0, { pickup_address: 'Main street' }), fed('t', 4, { status: 'matched', driver_id: 'd', matched_at: at(1) }));
    expect(after).toMatchObject({ version: 4, status: 'matched', matched_at: at(1), driver_id: 'd', pickup_address: 'Main street', rider: { first_name: 'Mina' } });
  });

  it('loses a driver who lost the trip, and keeps the card of one who has it still', () => {
    const driver = { id: 'd', first_name: 'Dana', plate: 'HX-1' } as TripRow['driver'];
    const matched = row('t', 0, { version: 4, status: 'matched', driver });
    expect(followed(matched, fed('t', 5, { status: 'arrived', driver_id: 'd' })).driver).toBe(driver);
    const released = followed(matched, fed('t', 5, { driver_id: '' }));
    expect([released.driver, released.driver_id, released.matched_at]).toEqual([undefined, undefined, undefined]);
    const won = followed(matched, fed('t', 6, { status: 'matched', driver_id: 'e' }));
    expect([won.driver, won.driver_id]).toEqual([undefined, 'e']);
  });
});

describe('a trip', () => {
  it('belongs to a list as its filters say', () => {
    const trip = fed('t', 1, { status: 'matched', driver_id: 'd' });
    expect(belongs(trip, {}, noon)).toBe(true);
    expect(belongs(trip, { status: 'live' }, noon)).toBe(true);
    expect(belongs(trip, { status: 'requested,expired' }, noon)).toBe(false);
    expect([belongs(trip, { account: 'd' }, noon), belongs(trip, { account: 'r' }, noon), belongs(trip, { account: 'x' }, noon)]).toEqual([true, true, false]);
    expect([belongs(trip, { period: '15m' }, noon), belongs(trip, { to: at(-5) }, noon), belongs(trip, { from: at(-5) }, noon)]).toEqual([true, false, true]);
    expect(belongs(trip, { q: 'mina' }, noon)).toBeNull();
  });
});

describe('what a list lacks', () => {
  it('are the new trips, also when they leave the feed, but none of its later pages', () => {
    const missing = new Missing();
    const listener = vi.fn();
    missing.subscribe(listener);
    const rows = [row('b', -2), row('a', -3)];
    missing.take([fed('a', 1), fed('old', 1, { requested_at: at(-9) }), fed('new', 1, { requested_at: at(-1) })], rows, true, {}, noon);
    expect(missing.size()).toBe(1);
    missing.take([], rows, true, {}, noon);
    expect(missing.size()).toBe(1);
    expect(listener).toHaveBeenCalledTimes(1);
    missing.take([], [row('new', -1), ...rows], true, {}, noon);
    expect(missing.size()).toBe(0);
  });

  it('is nothing that stopped to belong there', () => {
    const missing = new Missing();
    missing.take([fed('t', 1)], [], false, { status: 'live' }, noon);
    expect(missing.size()).toBe(1);
    missing.take([fed('t', 2, { status: 'cancelled' })], [], false, { status: 'live' }, noon);
    expect(missing.size()).toBe(0);
    missing.take([fed('u', 2)], [], false, { status: 'live' }, noon);
    missing.clear();
    expect(missing.size()).toBe(0);
  });
});
