import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, currencyDigits, type Client, type ClientEvents, type WebSocketLike } from '../src/index.js';
import { signUp, startServer } from './support/server.mjs';

const binary = process.env.HEXHAIL_BINARY;
const pickup = { lat: 37.4979, lng: 127.0276 };
const dropoff = { lat: 37.5172, lng: 127.0473 };

// Against a real server, with real sockets and real time.
describe.skipIf(!binary)('a ride on a real server', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = await startServer(binary ?? '');
  });
  afterAll(async () => {
    for (const client of clients) client.stop();
    await server.stop();
  });

  async function connect(role: 'rider' | 'driver', name: string, encoding: 'proto' | 'json') {
    const token = await signUp(server.url, role, name);
    const sockets: WebSocketLike[] = [];
    class Watched extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const client = createClient({ url: `${server.url}/v1/ws`, credentials: () => ({ token }), WebSocket: Watched, encoding });
    clients.push(client);
    client.start();
    /** Breaks the socket, as a network would. */
    const breakSocket = () => (sockets.at(-1) as unknown as WebSocket).terminate();
    return { client, sockets, breakSocket };
  }

  const once = <K extends keyof ClientEvents>(client: Client, name: K, test: (event: ClientEvents[K]) => boolean) =>
    new Promise<ClientEvents[K]>((resolve) => {
      const end = client.on(name, (event) => {
        if (!test(event)) return;
        end();
        resolve(event);
      });
    });

  test('has the same decimals of every currency as this library', async () => {
    const config = (await (await fetch(`${server.url}/v1/config`)).json()) as { currency_digits: Record<string, number> };
    const codes = Object.keys(config.currency_digits);
    expect(codes.length).toBeGreaterThan(150);
    expect(Object.fromEntries(codes.map((code) => [code, currencyDigits(code)]))).toEqual(config.currency_digits);
  });

  test.each([['proto', 'json'], ['json', 'proto']] as const)('goes from request to rating: rider %s, driver %s', async (riders, drivers) => {
    const rider = await connect('rider', `Ada${riders}`, riders);
    const driver = await connect('driver', `Bo${drivers}`, drivers);
    await driver.client.goOnline({ lat: 37.4986, lng: 127.0283 });
    const offered = once(driver.client, 'offer', () => true);
    const request = rider.client.requestTrip({ pickup, dropoff, note: '파란 코트' });
    rider.breakSocket(); // the request is asked for again, with its id
    const trip = await request;
    const offer = await offered;
    expect(offer.trip_id).toBe(trip.id);

    const matched = once(rider.client, 'trip', ({ change }) => change === 'matched');
    expect(await driver.client.acceptOffer(offer.id)).toMatchObject({ won: true, trip: { id: trip.id, note: '파란 코트' } });
    await matched;
    rider.breakSocket();
    await driver.client.arrived(trip.id);
    const completed = driver.client.startTrip(trip.id, '').then(() => driver.client.completeTrip(trip.id));
    driver.breakSocket();
    const ended = once(rider.client, 'tripEnded', () => true);
    expect((await completed).fare?.total.minor).toBeGreaterThan(0);
    expect((await ended).trip).toMatchObject({ id: trip.id, status: 'completed' });

    expect((await rider.client.rateTrip(trip.id, 5)).stars_by_rider).toBe(5);
    await expect(rider.client.rateTrip(trip.id, 4)).rejects.toMatchObject({ code: 'already_rated' });
    expect(rider.sockets.length).toBeGreaterThan(1);
    expect(rider.client.state).toMatchObject({ status: 'connected' });
    expect(Math.abs(rider.client.serverNow() - Date.now())).toBeLessThan(10_000);
    driver.client.stop();
  });

  test('the bot of the README takes it', async () => {
    const name = `bot-${Date.now()}`;
    const account = { username: name, password: 'correct horse 8', first_name: 'Bo', last_name: 'T', role: 'driver', vehicle_class: 'standard', plate: 'B 1' };
    await fetch(`${server.url}/v1/accounts`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(account) });
    // It imports the package by its name, and so what is built.
    const bot = spawn('node', [fileURLToPath(new URL('../examples/driver-bot.mjs', import.meta.url)), name, account.password], {
      env: { ...process.env, HEXHAIL_URL: server.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve) => bot.stdout.on('data', (chunk) => String(chunk).includes('connected') && resolve(true)));
      const { client } = await connect('rider', 'Eva', 'proto');
      const ended = once(client, 'tripEnded', () => true);
      await client.requestTrip({ pickup, dropoff });
      expect((await ended).trip.status).toBe('completed');
    } finally {
      bot.kill();
    }
  });
});
