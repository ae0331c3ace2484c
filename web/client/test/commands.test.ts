import { describe, expect, test } from 'vitest';
import { GaveUpError, ProtocolError, QueueFullError, type StorageLike } from '../src/index.js';
import { randomId } from '../src/ids.js';
import { Bench, settled, type FakeSocket } from './support/fakes.js';

const pickup = { lat: 37.4979, lng: 127.0276 };
const dropoff = { lat: 37.5172, lng: 127.0473 };

const trip = (id: string, version: number, status = 'requested') => ({
  id, version, status, pickup, dropoff, estimate: { fare: { minor: 1, currency: 'USD' } }, requested_at: '2026-01-01T00:00:00Z',
});

const refuse = (socket: FakeSocket, id: string | undefined, code: string, more: object = {}) =>
  socket.say({ reply: { id, error: { code, message: `${code}!`, ...more } } });

/** Loses the socket, and reconnects. */
async function reconnect(bench: Bench, connected: object = {}): Promise<FakeSocket> {
  bench.socket.fail();
  const { state } = bench.client;
  if (state.status === 'waiting') await bench.clock.advance(state.retryAt - bench.clock.now());
  bench.socket.accept();
  bench.welcome(connected);
  return bench.socket;
}

describe('a command', () => {
  test('whose reply is lost is repeated with its id, and answered once', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const answers: unknown[] = [];
    const promise = bench.client.requestTrip({ pickup, dropoff }).then((answer) => answers.push(answer));
    const first = socket.take('request_trip');
    const again = await reconnect(bench);
    const second = again.take('request_trip');
    expect(second).toEqual(first);
    again.say({ reply: { id: second.id, trip: trip('t', 1) } });
    again.say({ reply: { id: second.id, trip: trip('t', 1) } });
    await promise;
    expect(answers).toMatchObject([{ id: 't', version: 1, note: '' }]);
    expect(bench.client.pending).toEqual([]);
  });

  test('given before there is a connection waits for one, in order', async () => {
    const bench = new Bench();
    void bench.client.goOnline({ ...pickup, heading_deg: null });
    void bench.client.declineOffer('o', 'too far');
    expect(bench.client.pending.map(({ kind }) => kind)).toEqual(['go_online', 'decline_offer']);
    const socket = await bench.connect({ role: 'driver' });
    expect(socket.take('go_online').go_online.location).toMatchObject({ point: pickup, heading_deg: 0 });
    expect(socket.take('decline_offer').decline_offer).toEqual({ offer_id: 'o', reason: 'too far' });
  });

  test('is repeated after a retryable error, when the server says', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const promise = bench.client.arrived('t');
    const { id } = socket.take('arrived');
    refuse(socket, id, 'too_many_requests', { retryable: true, retry_after_ms: 700 });
    expect(bench.client.pending).toMatchObject([{ id, lastError: 'too_many_requests' }]);
    await bench.clock.advance(699);
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(1);
    expect(socket.take('arrived').id).toBe(id);
    refuse(socket, id, 'unavailable', { retryable: true });
    await bench.clock.advance(500); // the second wait in a row, without an opinion of the server
    socket.say({ reply: { id: socket.take('arrived').id, trip: trip('t', 4, 'arrived') } });
    expect((await promise).status).toBe('arrived');
  });

  test('that the server refuses is rejected, with all that it said', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const promise = bench.client.startTrip('t', '0000');
    refuse(socket, socket.take('start_trip').id, 'wrong_pin', { field: 'start_trip.pin' });
    const error = await promise.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'wrong_pin', message: 'wrong_pin!', field: 'start_trip.pin', retryable: false });
  });

  test('that is to wait for longer than anybody would is handed back', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const promise = bench.client.startTrip('t', '0000');
    refuse(socket, socket.take('start_trip').id, 'pin_locked', { retryable: true, retry_after_ms: 60_000 });
    await expect(promise).rejects.toMatchObject({ code: 'pin_locked', retryable: true, retryAfterMs: 60_000 });
  });

  test('does not overtake another to the same trip', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    void bench.client.arrived('t');
    void bench.client.startTrip('t', '1234');
    void bench.client.arrived('another');
    const { id } = socket.take('arrived');
    expect(socket.take('arrived').arrived.trip_id).toBe('another');
    expect(socket.sent).toEqual([]);
    refuse(socket, id, 'internal', { retryable: true });
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(250);
    socket.say({ reply: { id: socket.take('arrived').id, trip: trip('t', 4, 'arrived') } });
    await settled();
    expect(socket.take('start_trip').start_trip.pin).toBe('1234');
  });

  test('of a wrong form never leaves', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    await expect(bench.client.rateTrip('t', '5' as never)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(socket.sent).toEqual([]);
    const proto = new Bench({ encoding: 'proto' });
    await expect(proto.client.rateTrip('t', 4.5)).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('giving up', () => {
  test('says whether the message was sent', async () => {
    const bench = new Bench();
    const unsent = bench.client.requestTrip({ pickup, dropoff }).catch((error: unknown) => error);
    await bench.clock.advance(60_000);
    expect(await unsent).toMatchObject({ why: 'deadline', sent: false });
    const socket = await bench.connect();
    const abort = new AbortController();
    const sent = bench.client.arrived('t', { signal: abort.signal }).catch((error: unknown) => error);
    socket.take('arrived');
    abort.abort();
    expect(await sent).toBeInstanceOf(GaveUpError);
    expect(await sent).toMatchObject({ why: 'aborted', sent: true });
    await reconnect(bench);
    expect(bench.socket.sent).toEqual([]);
    await expect(bench.client.ping({ signal: abort.signal })).rejects.toMatchObject({ why: 'aborted', sent: false });
  });

  test('a step of a ride is not given up', async () => {
    const bench = new Bench();
    void bench.client.completeTrip('t');
    await bench.clock.advance(24 * 3_600_000);
    expect(bench.client.pending).toHaveLength(1);
  });

  test('stopping rejects what waits', async () => {
    const bench = new Bench();
    await bench.connect();
    const promise = bench.client.completeTrip('t');
    bench.client.stop();
    await expect(promise).rejects.toMatchObject({ why: 'stopped', sent: true });
  });

  test('so does an account that is refused', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const promise = bench.client.completeTrip('t');
    socket.fail(4502);
    await expect(promise).rejects.toMatchObject({ code: 'suspended' });
  });

  test('the queue has an end', async () => {
    const bench = new Bench({ queueLimit: 2 });
    void bench.client.arrived('1');
    void bench.client.arrived('2');
    await expect(bench.client.arrived('3')).rejects.toBeInstanceOf(QueueFullError);
  });
});

describe('answers', () => {
  test('of all kinds', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    const answer = (kind: Parameters<FakeSocket['take']>[0], result: object) => {
      socket.say({ reply: { id: socket.take(kind).id, ...result } });
    };
    const quotes = bench.client.getQuote({ pickup, dropoff });
    answer('get_quote', { quotes: { quotes: [{ vehicle_class: 'van', fare: { minor: 5, currency: 'EUR' } }] } });
    expect(await quotes).toMatchObject([{ vehicle_class: 'van', drivers_nearby: 0, fare: { minor: 5 } }]);
    const way = bench.client.getQuotes({ pickup, dropoff });
    answer('get_quote', { quotes: { quotes: [], polyline: '_p~iF~ps|U_ulLnnqC' } });
    expect(await way).toMatchObject({ quotes: [], polyline: '_p~iF~ps|U_ulLnnqC' });
    const ping = bench.client.ping();
    answer('ping', { pong: { server_time: '2026-01-01T00:00:01Z' } });
    expect(await ping).toBe(Date.UTC(2026, 0, 1, 0, 0, 1));
    const won = bench.client.acceptOffer('o');
    answer('accept_offer', { trip: trip('t', 3, 'matched') });
    expect(await won).toMatchObject({ won: true, trip: { id: 't' } });
    const pending = bench.client.acceptOffer('p');
    answer('accept_offer', { accept_pending: { offer_id: 'p', award_at: '2026-01-01T00:00:09Z' } });
    expect(await pending).toEqual({ won: 'pending', award_at: '2026-01-01T00:00:09Z' });
    const given = bench.client.cancelTrip('t', 'flat tyre');
    answer('cancel_trip', { done: {} });
    expect(await given).toBeUndefined();
    const wrong = bench.client.rateTrip('t', 5);
    answer('rate_trip', { done: {} });
    await expect(wrong).rejects.toMatchObject({ code: 'unexpected_reply' });
  });
});

describe('being online', () => {
  test('is asked for anew, with a new id, when the server has forgotten it', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    const online = bench.client.goOnline();
    const { id } = socket.take('go_online');
    socket.say({ reply: { id, done: {} } });
    await online;
    expect(bench.client.view.online).toBe(true);
    const again = await reconnect(bench, { role: 'driver', online: false, epoch: 'f' });
    expect(bench.client.view.online).toBe(false);
    const renewed = again.take('go_online');
    expect(renewed.id).not.toBe(id);
    again.say({ reply: { id: renewed.id, done: {} } });
    expect(bench.client.view.online).toBe(true);
    // Not so when the driver has chosen otherwise.
    void bench.client.goOffline();
    again.say({ reply: { id: again.take('go_offline').id, done: {} } });
    expect((await reconnect(bench, { role: 'driver', online: false })).sent).toEqual([]);
  });

  test('an unanswered choice gets a new id if the server does not know of it', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    void bench.client.goOnline();
    const { id } = socket.take('go_online');
    const again = await reconnect(bench, { role: 'driver', online: false });
    expect(again.take('go_online').id).not.toBe(id);
    const third = await reconnect(bench, { role: 'driver', online: true });
    expect(third.take('go_online')).toBeDefined();
    expect(third.sent).toEqual([]);
  });

  test('refused, it is given up and told', async () => {
    const bench = new Bench();
    await bench.connect({ role: 'driver', online: true });
    const again = await reconnect(bench, { role: 'driver', online: false });
    refuse(again, again.take('go_online').id, 'unknown_vehicle_class');
    await settled();
    expect(bench.events.at(-1)).toMatchObject({ name: 'refused', event: { kind: 'go_online', error: { code: 'unknown_vehicle_class' } } });
    expect((await reconnect(bench, { role: 'driver', online: false })).sent).toEqual([]);
  });
});

describe('locations', () => {
  test('the latest is sent, and no more than one a second', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    for (let i = 0; i < 5; i++) bench.client.sendLocation({ lat: i, lng: 0, speed_mps: -1, accuracy_m: null, heading_deg: -90 });
    expect(socket.take('location')).toMatchObject({ location: { point: { lat: 0 }, heading_deg: 270, speed_mps: 0, accuracy_m: 0 } });
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(1_000);
    expect(socket.take('location').location.point?.lat).toBe(4);
    await bench.clock.advance(3_000);
    expect(socket.sent).toEqual([]);
  });

  test('one that waits for a connection is dropped when it is too old', async () => {
    const bench = new Bench();
    bench.client.sendLocation({ lat: 1, lng: 1 });
    await bench.clock.advance(15_001);
    const socket = await bench.connect({ role: 'driver' });
    expect(socket.sent).toEqual([]);
    socket.fail();
    bench.client.sendLocation({ lat: 2, lng: 2 });
    await bench.clock.advance(250);
    bench.socket.accept();
    bench.welcome();
    expect(bench.socket.take('location').location.point?.lat).toBe(2);
  });

  test("carry the server's time, and rise", async () => {
    const bench = new Bench();
    const ahead = 3_600_000;
    const socket = await bench.connect({ role: 'driver', server_time: new Date(bench.clock.now() + ahead).toISOString() });
    const takenAt = bench.clock.now();
    bench.client.sendLocation({ lat: 1, lng: 1, takenAt });
    expect(Date.parse(socket.take('location').location.device_time ?? '')).toBe(takenAt + ahead);
    await bench.clock.advance(1_000);
    bench.client.sendLocation({ lat: 1, lng: 1, takenAt });
    expect(Date.parse(socket.take('location').location.device_time ?? '')).toBe(takenAt + ahead + 1);
  });

  test.each([
    ['in the year 9999', () => Date.UTC(9999, 0, 1)],
    ['in microseconds', (now: number) => now * 1000],
    ['a minute ahead', (now: number) => now + 60_000],
    ['no time at all', () => NaN],
  ])('one that is dated %s counts as taken now, and does not hold back the next', async (_, wrong) => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    bench.client.sendLocation({ lat: 1, lng: 1, takenAt: wrong(bench.clock.now()) });
    expect(Date.parse(socket.take('location').location.device_time ?? '')).toBe(bench.clock.now());
    await bench.clock.advance(1_000);
    bench.client.sendLocation({ lat: 2, lng: 1, takenAt: bench.clock.now() });
    expect(Date.parse(socket.take('location').location.device_time ?? '')).toBe(bench.clock.now());
    void bench.client.goOnline({ lat: 2, lng: 1, takenAt: wrong(bench.clock.now()) });
    await settled();
    expect(Date.parse(socket.take('go_online').go_online.location?.device_time ?? '')).toBe(bench.clock.now());
  });

  test("carry the right time again once this device's clock, or the server's, was set back", async () => {
    const bench = new Bench();
    const hour = 3_600_000;
    const socket = await bench.connect({ role: 'driver', server_time: new Date(bench.clock.now() + hour).toISOString() });
    bench.client.sendLocation({ lat: 1, lng: 1 });
    expect(Date.parse(socket.take('location').location.device_time ?? '')).toBe(bench.clock.now() + hour);
    socket.fail();
    await bench.clock.advance(500);
    const next = await bench.connect({ role: 'driver' }); // whose clock is this device's, now
    await bench.clock.advance(1_000);
    bench.client.sendLocation({ lat: 2, lng: 1 });
    expect(Date.parse(next.take('location').location.device_time ?? '')).toBe(bench.clock.now());
    bench.clock.jump(-10 * hour);
    bench.client.sendLocation({ lat: 3, lng: 1 });
    expect(Date.parse(next.take('location').location.device_time ?? '')).toBe(bench.clock.now());
  });

  test('are not sent on a socket that closes, whose close tells how it goes on', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    socket.readyState = 2;
    bench.client.sendLocation({ lat: 1, lng: 1 });
    expect(socket.sent).toEqual([]);
    await bench.clock.advance(5_000);
    expect(bench.sockets).toHaveLength(1);
    socket.fail(1006);
    await bench.clock.advance(500);
    const next = await bench.connect({ role: 'driver' });
    await bench.clock.advance(1_000);
    bench.client.sendLocation({ lat: 2, lng: 1 });
    next.take('location');
  });

  test('wait while the network takes nothing; a refusal is told', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'driver' });
    socket.bufferedAmount = 100_000;
    bench.client.sendLocation({ lat: 1, lng: 1 });
    expect(socket.sent).toEqual([]);
    socket.bufferedAmount = 0;
    await bench.clock.advance(1_000);
    socket.take('location');
    refuse(socket, '', 'invalid_point');
    expect(bench.events.at(-1)).toMatchObject({ name: 'refused', event: { kind: 'location', error: { code: 'invalid_point' } } });
  });
});

describe('persistence', () => {
  const memory = (): StorageLike & { readonly map: Map<string, string> } => {
    const map = new Map<string, string>();
    return { map, getItem: (k) => map.get(k) ?? null, setItem: (k, v) => map.set(k, v), removeItem: (k) => map.delete(k) };
  };
  /** A page that asked for a ride, and was closed before the answer. */
  async function closedPage(storage: StorageLike) {
    const bench = new Bench({ persistence: { storage, key: 'k' } });
    const socket = await bench.connect();
    bench.client.requestTrip({ pickup, dropoff }).catch(() => undefined);
    void bench.client.getQuote({ pickup, dropoff }).catch(() => undefined);
    return socket.take('request_trip');
  }

  test('a command outlives the page, with its id', async () => {
    const storage = memory();
    const first = await closedPage(storage);
    expect(JSON.stringify([...storage.map])).not.toContain('token');
    const bench = new Bench({ persistence: { storage, key: 'k' } });
    const socket = await bench.connect();
    expect(socket.take('request_trip')).toEqual(first);
    expect(socket.sent).toEqual([]);
    socket.say({ reply: { id: first.id, trip: trip('t', 1) } });
    expect(bench.events.at(-1)).toMatchObject({ name: 'restored', event: { id: first.id, kind: 'request_trip', trip: { id: 't' } } });
    expect(storage.map.size).toBe(0);
  });

  test('stopping keeps it, forgetting does not', async () => {
    const storage = memory();
    const bench = new Bench({ persistence: { storage, key: 'k' } });
    await bench.connect();
    bench.client.arrived('t').catch(() => undefined);
    bench.client.stop();
    expect(storage.map.size).toBe(1);
    bench.client.start();
    expect(bench.client.pending).toHaveLength(1);
    bench.client.stop({ forget: true });
    expect(storage.map.size).toBe(0);
    expect(bench.client.view).toEqual({ online: false, openOffers: [], closedOffers: [] });
  });

  test('of another account, or too old, or unreadable, it is dropped', async () => {
    const storage = memory();
    await closedPage(storage);
    const other = new Bench({ persistence: { storage, key: 'k' } });
    expect((await other.connect({ account_id: 'b' })).sent).toEqual([]);
    expect(storage.map.size).toBe(0);

    await closedPage(storage);
    const late = new Bench({ persistence: { storage, key: 'k' } });
    await late.clock.advance(120_001);
    expect((await late.connect()).sent).toEqual([]);

    for (const text of ['{', '7', '{"accountId":"","commands":[{"id":"1","kind":"fly","body":{},"since":0}]}']) {
      storage.setItem('k', text);
      expect((await new Bench({ persistence: { storage, key: 'k' } }).connect()).sent).toEqual([]);
    }
  });

  test('a storage that fails is like none', async () => {
    const fail = () => {
      throw new Error('forbidden');
    };
    const bench = new Bench({ persistence: { storage: { getItem: fail, setItem: fail, removeItem: fail }, key: 'k' } });
    const socket = await bench.connect();
    void bench.client.arrived('t');
    expect(socket.take('arrived').arrived.trip_id).toBe('t');
  });
});

describe('listeners', () => {
  test('snapshots are the same until something changes', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const { view, state, pending } = bench.client;
    let calls = 0;
    const end = bench.client.subscribe(() => calls++);
    socket.say({ event: { epoch: 'e', seq: 1 } });
    expect(calls).toBe(0);
    expect([bench.client.view, bench.client.state, bench.client.pending]).toEqual([view, state, pending]);
    expect(bench.client.view).toBe(view);
    socket.say({ event: { epoch: 'e', seq: 2, trip_updated: { change: 'requested', trip: trip('t', 1) } } });
    expect(calls).toBe(1);
    expect(bench.client.view).not.toBe(view);
    end();
    socket.fail();
    expect(calls).toBe(1);
  });

  test('may stop the client', async () => {
    const bench = new Bench();
    bench.client.on('trip', () => bench.client.stop());
    void bench.client.arrived('t').catch(() => undefined);
    const socket = await bench.connect({ active_trip: trip('t', 3, 'matched') });
    expect(bench.client.state.status).toBe('stopped');
    expect(socket.sent).toEqual([]);
    expect(bench.clock.timers).toBe(0);
  });

  test('hear of an offer that leaves the screen by itself', async () => {
    const bench = new Bench();
    const expires_at = new Date(bench.clock.now() + 15_000).toISOString();
    const offer = { id: 'o', trip_id: 't', expires_at };
    const socket = await bench.connect({ role: 'driver', open_offers: [offer] });
    expect(bench.client.view.openOffers).toHaveLength(1);
    socket.say({ event: { epoch: 'e', seq: 1 } });
    await bench.clock.advance(14_999);
    expect(bench.client.view.openOffers).toHaveLength(1);
    await bench.clock.advance(1);
    expect(bench.client.view.openOffers).toHaveLength(0);
  });
});

test('ids are random UUIDs', () => {
  const ids = Array.from({ length: 100 }, randomId);
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
