import { describe, expect, test } from 'vitest';
import type { CityChanged, ProtocolError } from '../src/index.js';
import { Bench, settled, type FakeSocket } from './support/fakes.js';

const query = { drivers: true, trips: true, interval_ms: 500 };

const answer = (socket: FakeSocket, watch: number) => {
  const { id, watch_city } = socket.take('watch_city');
  socket.say({ reply: { id, city_watched: { watch, interval_ms: 500, resolution: 8 } } });
  return watch_city;
};

const change = (socket: FakeSocket, watch: number, more: object = {}) =>
  socket.say({ event: { epoch: 'e', seq: 0, city_changed: { watch, at: '2026-01-01T00:00:00Z', ...more } } });

/** A client that watches, with what it was told. */
async function watching() {
  const bench = new Bench();
  const told: CityChanged[] = [];
  const began: number[] = [];
  bench.client.on('city', (c) => told.push(c));
  bench.client.on('cityWatched', ({ watch }) => began.push(watch));
  const socket = await bench.connect({ role: 'operator' });
  const watched = bench.client.watchCity(query);
  await settled();
  expect(answer(socket, 1)).toEqual(query);
  expect(await watched).toEqual({ watch: 1, interval_ms: 500, resolution: 8 });
  return { bench, socket, told, began };
}

describe('an operator who watches the city', () => {
  test('is told its changes, though they have no number of their own', async () => {
    const { socket, told, began, bench } = await watching();
    change(socket, 1, { reset: true, snapshot: true, drivers: [{ key: 1, id: 'd', state: 'available', point: { lat: 1, lng: 2 } }] });
    change(socket, 1, { moves: [{ key: 1, point: { lat: 1.5, lng: 2 } }] });
    expect(began).toEqual([1]);
    expect(told.map(({ drivers, moves }) => [drivers.length, moves.length])).toEqual([[1, 0], [0, 1]]);
    expect(told[0]?.drivers[0]).toMatchObject({ id: 'd', trip_id: '', heading_deg: 0 });
    expect(bench.client.state.status).toBe('connected');
  });

  test('is told nothing of a watch that another took the place of', async () => {
    const { bench, socket, told } = await watching();
    const newer = bench.client.watchCity({ cells: true });
    change(socket, 1);
    answer(socket, 2);
    await newer;
    change(socket, 1);
    change(socket, 2, { cells: [{ cell: '8830e1d8b5fffff', supply: 1 }] });
    expect(told.map(({ watch }) => watch)).toEqual([2]);
  });

  test('asks again after every reconnect', async () => {
    const { bench, socket, told, began } = await watching();
    socket.fail();
    await bench.clock.advance(500);
    const next = await bench.connect({ role: 'operator' });
    expect(answer(next, 1)).toEqual(query);
    change(next, 1, { reset: true, snapshot: true });
    expect(began).toEqual([1, 1]);
    expect(told).toHaveLength(1);
  });

  test('asks once, if the connection was lost before the answer', async () => {
    const bench = new Bench();
    const socket = await bench.connect({ role: 'operator' });
    const watched = bench.client.watchCity(query);
    await settled();
    socket.take('watch_city');
    socket.fail();
    await bench.clock.advance(500);
    const next = await bench.connect({ role: 'operator' });
    answer(next, 1);
    await watched;
    expect(next.sent).toEqual([]);
  });

  test('and no longer, after it said so', async () => {
    const { bench, socket, told } = await watching();
    const done = bench.client.unwatchCity();
    await settled();
    socket.say({ reply: { id: socket.take('unwatch_city').id, done: {} } });
    await done;
    change(socket, 1);
    expect(told).toEqual([]);
    socket.fail();
    await bench.clock.advance(500);
    expect((await bench.connect({ role: 'operator' })).sent).toEqual([]);
  });

  test('does not insist when the server refuses', async () => {
    const bench = new Bench();
    const socket = await bench.connect();
    const watched = bench.client.watchCity(query).catch((error: unknown) => (error as ProtocolError).code);
    await settled();
    const error = { code: 'wrong_role', message: 'Only operators watch the city.' };
    socket.say({ reply: { id: socket.take('watch_city').id, error } });
    expect(await watched).toBe('wrong_role');
    socket.fail();
    await bench.clock.advance(500);
    expect((await bench.connect()).sent).toEqual([]);
  });
});
