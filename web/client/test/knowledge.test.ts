import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connected, Offer, ServerEvent, Trip, TripRoute } from '../src/index.js';
import { applyConnected, applyEvent, applyReply } from '../src/knowledge/apply.js';
import { ignorance, type Change, type Knowledge } from '../src/knowledge/knowledge.js';
import { expireOffers } from '../src/knowledge/offers.js';
import { frameOf, readTranscript } from './support/transcript.js';

const connected = (more: Partial<Connected> = {}): Connected => ({
  session_id: 's', epoch: 'e', seq: 0, resumed: false, account_id: 'a', role: 'driver', online: true, open_offers: [],
  server_time: '2026-01-01T00:00:00Z', heartbeat_ms: 5000, position_ttl_ms: 15000, ...more,
});

const trip = (id: string, version: number, more: Partial<Trip> = {}): Trip => ({
  id, version, status: 'matched', pickup: { lat: 1, lng: 2 }, dropoff: { lat: 3, lng: 4 }, pickup_address: '',
  dropoff_address: '', vehicle_class: '', passengers: 1, note: '', pin: '', pickup_eta_s: 0, stars_by_rider: 0, stars_by_driver: 0,
  estimate: { distance_m: 1, duration_s: 1, fare: { minor: 1, currency: 'USD' }, by: 'streets' }, requested_at: '2026-01-01T00:00:00Z', ...more,
});

const offer = (id: string, expires_at = '2026-01-01T00:00:15Z'): Offer => ({
  id, trip_id: `trip of ${id}`, pickup_area: { lat: 1, lng: 2 }, pickup_radius_m: 1, pickup_distance_m: 1, pickup_eta_s: 60,
  trip_distance_m: 1, trip_duration_s: 1, fare: { minor: 1, currency: 'USD' }, vehicle_class: '', passengers: 1, wave: 1, rider_rating_x100: 0, expires_at,
});

const updated = (seq: number, t: Trip, change: string): ServerEvent => ({ epoch: 'e', seq, trip_updated: { trip: t, change } });
const received = (seq: number, id: string): ServerEvent => ({ epoch: 'e', seq, offer_received: { offer: offer(id) } });
const closed = (seq: number, id: string): ServerEvent => ({
  epoch: 'e', seq, offer_closed: { offer_id: id, trip_id: `trip of ${id}`, outcome: 'withdrawn', reason: 'taken' },
});

/** Tells a client one thing after another, and gathers what changed. */
class Told {
  knowledge: Knowledge = ignorance;
  readonly changes: Change[] = [];
  gap = false;

  connected(c: Connected): this {
    return this.#take(applyConnected(this.knowledge, c));
  }
  events(...events: readonly ServerEvent[]): this {
    for (const event of events) this.#take(applyEvent(this.knowledge, event));
    return this;
  }
  reply(...args: Parameters<typeof applyReply> extends [unknown, ...infer Rest] ? Rest : never): this {
    return this.#take(applyReply(this.knowledge, ...args));
  }
  expire(now: string): this {
    return this.#take(expireOffers(this.knowledge, Date.parse(now)));
  }
  /** The names of what changed, besides raw events. */
  get names(): string[] {
    return this.changes.map(({ name }) => name).filter((name) => name !== 'event');
  }
  get view() {
    return this.knowledge.view;
  }
  #take({ knowledge, changes, gap }: { knowledge: Knowledge; changes: readonly Change[]; gap?: boolean }): this {
    this.knowledge = knowledge;
    this.changes.push(...changes);
    this.gap ||= gap ?? false;
    return this;
  }
}

describe('a history told in pieces', () => {
  // The events of each person of the recorded rides, without the disconnects that were recorded, and as far as the
  // history was not lost.
  const histories = ['ride-json.jsonl', 'ride-proto.jsonl', 'otherwise.jsonl'].flatMap((file) => {
    const lines = readTranscript(file).filter(({ what }) => what === 'received');
    return ['Ada', 'Bo', 'Cy'].flatMap((who) => {
      const frames = lines.filter((line) => line.who === who).map(frameOf);
      const first = frames.flatMap(({ reply }) => (reply?.connected ? [reply.connected] : []))[0];
      let last = 0;
      const events = frames.flatMap(({ event }) => {
        if (!event || event.driver_moved || event.disconnecting || event.epoch !== first?.epoch || event.seq !== last + 1) return [];
        last = event.seq;
        return [event];
      });
      return first ? [{ name: `${who} in ${file}`, first, events }] : [];
    });
  });

  test.each(histories)('ends in the same view: $name', ({ first, events }) => {
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    // What the server would show in a snapshot after each event.
    const whole = new Told().connected(first);
    const snapshots = [whole.view, ...events.map((event) => whole.events(event).view)];

    const cuts = fc.array(fc.tuple(fc.nat(events.length), fc.nat(events.length), fc.boolean()), { maxLength: 5 });
    fc.assert(
      fc.property(cuts, (pieces) => {
        const told = new Told().connected(first);
        let at = 0; // what was told
        for (const [heard, missed, overlap] of pieces) {
          const until = Math.min(events.length, at + heard);
          told.events(...events.slice(at, until));
          // The socket breaks; meanwhile more happens. Then everything missed is replayed, and perhaps more than that.
          const now = Math.min(events.length, until + missed);
          const { activeTrip, openOffers } = snapshots[now] ?? whole.view;
          const snapshot = { resumed: true, seq: now, open_offers: openOffers, online: first.online };
          told.connected({ ...first, ...snapshot, ...(activeTrip && { active_trip: activeTrip }) });
          told.events(...events.slice(overlap ? 0 : until, now));
          at = now;
        }
        told.events(...events.slice(at));
        expect(told.gap).toBe(false);
        expect(told.view).toEqual(whole.view);
        // Ends are told once each, however often they were replayed; nothing is told that was not true.
        const ends = (t: Told, name: string) => t.names.filter((n) => n === name).length;
        for (const name of ['tripEnded', 'offerClosed', 'tripRated']) expect(ends(told, name)).toBe(ends(whole, name));
        for (const name of ['offer', 'trip']) expect(ends(told, name)).toBeLessThanOrEqual(ends(whole, name));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the three rules', () => {
  test('a trip that is not newer is ignored, from wherever it comes', () => {
    const told = new Told().connected(connected({ seq: 5, active_trip: trip('t', 4, { status: 'arrived' }) }));
    const before = told.view;
    told.events(updated(6, trip('t', 3), 'matched'));
    told.reply({ id: '1', trip: trip('t', 4) }, { kind: 'arrived', body: { trip_id: 't' }, repeated: false });
    expect(told.view).toBe(before);
    expect(told.names).toEqual(['online', 'trip']);
  });

  test('a reply and its event are one change', () => {
    const told = new Told().connected(connected({ role: 'rider' }));
    told.reply({ id: '1', trip: trip('t', 1, { status: 'requested' }) }, { kind: 'request_trip', body: {}, repeated: false });
    told.events(updated(1, trip('t', 1, { status: 'requested' }), 'requested'));
    expect(told.names).toEqual(['online', 'trip']);
  });

  test('an event that was seen is ignored, a missing one is a gap', () => {
    const told = new Told().connected(connected({ seq: 5 }));
    told.events(received(5, 'o'), received(6, 'p'), received(6, 'q'));
    expect(told.view.openOffers.map(({ id }) => id)).toEqual(['p']);
    told.events({ ...received(7, 'r'), epoch: 'other' });
    expect(told.gap).toBe(false);
    told.events(received(8, 's'));
    expect(told.gap).toBe(true);
    expect(told.knowledge.history).toBeUndefined();
    expect(told.view.openOffers).toHaveLength(1);
  });

  test('a closed offer stays closed', () => {
    const told = new Told().connected(connected()).events(received(1, 'o'), closed(2, 'o'), received(3, 'o'), closed(4, 'o'));
    expect(told.view.openOffers).toEqual([]);
    expect(told.names).toEqual(['online', 'offer', 'offerClosed']);
    expect(told.view.closedOffers[0]).toMatchObject({ outcome: 'withdrawn', reason: 'taken', offer: { id: 'o' } });
  });

  test('an unknown event takes its number', () => {
    const told = new Told().connected(connected()).events({ epoch: 'e', seq: 1 }, received(2, 'o'));
    expect(told.gap).toBe(false);
    expect(told.view.openOffers).toHaveLength(1);
  });
});

describe('a lost history', () => {
  test('a trip and offers that the snapshot does not show are gone', () => {
    const told = new Told().connected(connected({ seq: 1, active_trip: trip('t', 3), open_offers: [offer('o')] }));
    told.connected(connected({ epoch: 'f', seq: 9, online: false }));
    expect(told.view).toMatchObject({ openOffers: [], online: false });
    expect(told.view.activeTrip).toBeUndefined();
    expect(told.view.closedOffers[0]?.outcome).toBe('outcome_unspecified');
    expect(told.names).toEqual(['online', 'trip', 'offer', 'online', 'tripGone', 'offerClosed']);
    expect(told.knowledge.history).toEqual({ epoch: 'f', seq: 9 });
  });

  test('another account knows nothing of the first', () => {
    const told = new Told().connected(connected({ active_trip: trip('t', 3) })).connected(connected({ account_id: 'b', online: false }));
    expect(told.view).toEqual({ online: false, openOffers: [], closedOffers: [] });
  });
});

describe('repeated commands', () => {
  test('a trip of another time does not come to life again', () => {
    const told = new Told().connected(connected({ role: 'rider', online: false }));
    told.reply({ id: '1', trip: trip('over', 1, { status: 'requested' }) }, { kind: 'request_trip', body: {}, repeated: true });
    expect(told.view.activeTrip).toBeUndefined();
    told.events(updated(1, trip('over', 1, { status: 'requested' }), 'requested'));
    expect(told.view.activeTrip?.id).toBe('over'); // it was of this time after all
  });
});

describe('offers', () => {
  test('leave the screen when their time is over, or when an answer was refused; their ends are told once', () => {
    const told = new Told().connected(connected()).events(received(1, 'o'), received(2, 'p'));
    told.expire('2026-01-01T00:00:14Z');
    expect(told.view.openOffers).toHaveLength(2);
    const error = { code: 'offer_taken', message: '', retryable: false, retry_after_ms: 0, field: '' };
    told.reply({ id: '1', error }, { kind: 'accept_offer', body: { offer_id: 'o' }, repeated: false });
    expect(told.view.openOffers.map(({ id }) => id)).toEqual(['p']);
    told.expire('2026-01-01T00:00:15Z');
    expect(told.view.openOffers).toEqual([]);
    told.events(closed(3, 'o'), closed(4, 'p'));
    expect(told.names).toEqual(['online', 'offer', 'offer', 'offerClosed', 'offerClosed']);
  });

  test('that came and ended while the socket was lost are told as ended, never as open', () => {
    const told = new Told().connected(connected()).connected(connected({ seq: 3, resumed: true, open_offers: [offer('p')] }));
    expect(told.view.openOffers.map(({ id }) => id)).toEqual(['p']);
    told.events(received(1, 'o'));
    expect(told.view.openOffers.map(({ id }) => id)).toEqual(['p']);
    told.events(received(2, 'p'), closed(3, 'o'));
    expect(told.names).toEqual(['online', 'offer', 'offerClosed']);
    expect(told.view.closedOffers[0]?.offer?.id).toBe('o');
  });

  test('wait for the award when acceptances compete', () => {
    const told = new Told().connected(connected()).events(received(1, 'o'));
    const accept_pending = { offer_id: 'o', award_at: '2026-01-01T00:00:20Z' };
    told.reply({ id: '1', accept_pending }, { kind: 'accept_offer', body: { offer_id: 'o' }, repeated: false });
    told.expire('2026-01-01T00:01:00Z');
    expect(told.view.openOffers[0]?.award_at).toBe(accept_pending.award_at);
  });
});

describe("the driver's position", () => {
  const moved = (device_time: string, trip_id = 't'): ServerEvent => ({
    epoch: 'e', seq: 0,
    driver_moved: { trip_id, point: { lat: 1, lng: 1 }, heading_deg: 0, eta_s: 1, device_time, left_m: 9, route_revision: 1 },
  });
  const driver = { id: 'd', first_name: 'Bo', photo_url: '', vehicle_class: '', plate: '', rating_x100: 0, vehicle_make: '', vehicle_model: '', vehicle_colour: '' };

  test('is of the active trip, the newest, and goes with the driver', () => {
    const told = new Told().connected(connected({ role: 'rider', online: false, active_trip: trip('t', 3, { driver }) }));
    told.events(moved('2026-01-01T00:00:02Z'), moved('2026-01-01T00:00:01Z'), moved('2026-01-01T00:00:03Z', 'other'));
    expect(told.view.driverPosition?.device_time).toBe('2026-01-01T00:00:02Z');
    told.events(updated(1, trip('t', 4, { status: 'arrived', driver }), 'arrived'));
    expect(told.view.driverPosition).toBeDefined();
    told.events(updated(2, trip('t', 5, { status: 'requested' }), 'released'));
    expect(told.view.driverPosition).toBeUndefined();
    expect(told.view.activeTrip?.status).toBe('requested');
  });

  test('is not held back by one that was dated in the future', () => {
    const told = new Told().connected(connected({ role: 'rider', online: false, active_trip: trip('t', 3, { driver }) }));
    told.events(moved('2030-01-01T00:00:00Z'), moved('2026-01-01T00:00:01Z'));
    expect(told.view.driverPosition?.device_time).toBe('2026-01-01T00:00:01Z');
  });
});

describe('the route', () => {
  const route = (revision: number, more: Partial<TripRoute> = {}): TripRoute => ({
    trip_id: 't', revision, leg: 'pickup', by: 'streets', polyline: '_p~iF~ps|U_ulLnnqC', distance_m: 9, duration_s: 1, steps: [], map_id: 'm', ...more,
  });
  const changed = (revision: number, more: Partial<TripRoute> = {}): ServerEvent => ({
    epoch: 'e', seq: 0, route_changed: { route: route(revision, more) },
  });
  const matched = (version: number, more: Partial<Trip> = {}) => trip('t', version, { status: 'matched', ...more });

  test('is the newest of the active trip and of its leg', () => {
    const told = new Told().connected(connected({ active_trip: matched(3) }));
    told.events(changed(2), changed(1), changed(2, { polyline: 'other' }), changed(3, { trip_id: 'other' }), changed(3, { leg: 'ride' }));
    expect(told.view.route).toEqual(route(2));
    told.events(updated(1, matched(4, { status: 'arrived' }), 'arrived'));
    expect(told.view.route).toEqual(route(2));
    told.events(updated(2, matched(5, { status: 'in_progress' }), 'started'));
    expect(told.view.route).toBeUndefined();
    told.events({ ...changed(7, { leg: 'ride' }), seq: 2 });
    expect(told.view.route?.revision).toBe(7);
    told.events(updated(3, matched(6, { status: 'completed' }), 'completed'));
    expect(told.view.route).toBeUndefined();
    expect(told.names.filter((name) => name === 'route')).toHaveLength(2);
  });

  test('goes with the driver', () => {
    const driver = { id: 'd', first_name: 'Bo', photo_url: '', vehicle_class: '', plate: '', rating_x100: 0, vehicle_make: '', vehicle_model: '', vehicle_colour: '' };
    const told = new Told().connected(connected({ role: 'rider', online: false, active_trip: matched(3, { driver }) }));
    told.events(changed(1), updated(1, matched(5, { driver: { ...driver, id: 'e' } }), 'matched'));
    expect(told.view.route).toBeUndefined();
  });

  test('of a snapshot counts, and without one the known one stays', () => {
    const told = new Told().connected(connected({ active_trip: matched(3), route: route(4) }));
    expect(told.view.route).toEqual(route(4));
    told.connected(connected({ resumed: true, active_trip: matched(3) }));
    expect(told.view.route).toEqual(route(4));
    told.connected(connected({ epoch: 'other', active_trip: matched(3), route: route(2) }));
    expect(told.view.route).toEqual(route(2));
    told.connected(connected({ epoch: 'other' }));
    expect(told.view.route).toBeUndefined();
  });
});

describe('marks that cannot be true', () => {
  test('a snapshot without a history counts, also where a version was believed to be higher', () => {
    const told = new Told().connected(connected({ role: 'rider', online: false, active_trip: trip('t', 4_000_000_000) }));
    told.connected(connected({ role: 'rider', online: false, epoch: 'other', active_trip: trip('t', 3, { status: 'arrived' }) }));
    expect(told.view.activeTrip).toMatchObject({ version: 3, status: 'arrived' });
    told.events({ ...updated(1, trip('t', 4, { status: 'in_progress' }), 'started'), epoch: 'other' });
    expect(told.view.activeTrip).toMatchObject({ version: 4, status: 'in_progress' });
  });

  test('the trip that ends now is the last one, also if an earlier one ended in the future', () => {
    const told = new Told().connected(connected({ role: 'rider', online: false, active_trip: trip('t', 3) }));
    told.events(updated(1, trip('t', 4, { status: 'completed', ended_at: '2030-01-01T00:00:00Z' }), 'completed'));
    told.events(updated(2, trip('u', 1), 'requested'));
    told.events(updated(3, trip('u', 2, { status: 'completed', ended_at: '2026-01-01T00:00:00Z' }), 'completed'));
    expect(told.view.lastEnded?.id).toBe('u');
  });
});

describe('approval', () => {
  const pending = { state: 'pending', reason: '' };
  const refused = { state: 'refused', reason: 'The photo of the licence is missing.' };

  test('is what the server said last, and a decision is told once', () => {
    const told = new Told().connected(connected({ approval: pending }));
    expect(told.view.approval).toEqual(pending);
    expect(told.names).not.toContain('approval');
    told.events({ epoch: 'e', seq: 1, approval_changed: { approval: { state: 'approved', reason: '' } } });
    expect(told.view.approval?.state).toBe('approved');
    told.connected(connected({ approval: { state: 'approved', reason: '' }, resumed: true, seq: 1 }));
    expect(told.names.filter((name) => name === 'approval')).toHaveLength(1);
  });

  test('that is refused takes the driver offline', () => {
    const told = new Told().connected(connected({ approval: { state: 'approved', reason: '' }, online: true }));
    told.events({ epoch: 'e', seq: 1, approval_changed: { approval: refused } });
    expect(told.view).toMatchObject({ online: false, approval: refused });
    expect(told.names).toEqual(expect.arrayContaining(['online', 'approval']));
  });

  test('of the past, replayed, does not undo what the snapshot says', () => {
    const told = new Told().connected(connected({ approval: pending }));
    told.connected(connected({ approval: { state: 'approved', reason: '' }, resumed: true, seq: 2 }));
    told.events({ epoch: 'e', seq: 1, approval_changed: { approval: refused } }, { epoch: 'e', seq: 2, approval_changed: { approval: { state: 'approved', reason: '' } } });
    expect(told.view.approval?.state).toBe('approved');
  });
});
