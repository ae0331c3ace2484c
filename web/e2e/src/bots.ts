import { createClient, type Client, type TripStatus } from '@hexhail/client';
import WebSocket from 'ws';

import { makeAccount, password } from './account';
import type { Server } from './server';

/** A new rider or driver without a browser, who is quick. */
export async function bot(server: Server, role: 'rider' | 'driver', username: string, firstName: string): Promise<Client> {
  await makeAccount(server.url, role, username, firstName);
  const client = createClient({
    url: `${server.url.replace(/^http/, 'ws')}/v1/ws`, name: 'e2e-bot', WebSocket,
    credentials: async () => {
      const answer = await fetch(`${server.url}/v1/login`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username, password }),
      });
      const { tokens } = (await answer.json()) as { tokens: { access_token: string } };
      return { token: tokens.access_token };
    },
  });
  client.start();
  return client;
}

/** Lets a rider and a driver ride this often, one ride after the other, from here to there. */
export async function ride(rider: Client, driver: Client, times: number, from: Point, to: Point): Promise<void> {
  const steps: Partial<Record<TripStatus, (id: string) => Promise<unknown>>> = {
    matched: (id) => driver.arrived(id), arrived: (id) => driver.startTrip(id), in_progress: (id) => driver.completeTrip(id),
  };
  const ends: (() => void)[] = [];
  const failed: unknown[] = [];
  const stop = [
    driver.on('offer', ({ id }) => void driver.acceptOffer(id).catch((e: unknown) => failed.push(e))),
    driver.on('trip', ({ trip }) => {
      void steps[trip.status]?.(trip.id).catch((e: unknown) => failed.push(e));
    }),
    driver.on('tripEnded', () => ends.shift()?.()),
  ];
  await driver.goOnline(from);
  for (let i = 0; i < times; i++) {
    const ended = new Promise<void>((done) => ends.push(done));
    await rider.requestTrip({ pickup: from, dropoff: to, vehicle_class: 'standard', passengers: 1 });
    await ended;
    driver.sendLocation(from);
  }
  for (const end of stop) end();
  if (failed.length > 0) throw new Error('a step of a ride failed', { cause: failed[0] });
}

interface Point {
  readonly lat: number;
  readonly lng: number;
}
