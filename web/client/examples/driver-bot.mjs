// A driver who takes every ride and is there at once. npm install @hexhail/client ws
import { createClient } from '@hexhail/client';
import WebSocket from 'ws';

const server = process.env.HEXHAIL_URL ?? 'http://localhost:8080';
const [username, password] = process.argv.slice(2);
const headers = { 'Content-Type': 'application/json' };
const here = { lat: 37.4986, lng: 127.0283 };

const credentials = async () => {
  const answer = await fetch(`${server}/v1/login`, { method: 'POST', headers, body: JSON.stringify({ username, password }) });
  const { tokens, code, status } = await answer.json(); // what throws is tried again: a proxy's page is no answer
  return status === answer.status && ['unauthenticated', 'suspended'].includes(code) ? null : { token: tokens.access_token };
};
const driver = createClient({ url: `${server}/v1/ws`, credentials, WebSocket, name: 'driver-bot/1' });
const steps = { matched: driver.arrived, arrived: driver.startTrip, in_progress: driver.completeTrip };

driver.on('state', (state) => console.log('connection:', state.status));
driver.on('offer', ({ id }) => driver.acceptOffer(id).catch(({ code }) => console.log('not won:', code)));
driver.on('trip', ({ trip }) => steps[trip.status]?.(trip.id).catch(({ code }) => console.log('not done:', code)));
driver.on('tripEnded', ({ trip }) => console.log('ended:', trip.status, trip.fare?.total));
driver.start();
await driver.goOnline(here);
setInterval(() => driver.sendLocation(here), 3000);
