/* eslint-disable no-undef -- one part runs in Node, the other in the page */
// Measures how smooth the operations console stays while a city moves: frames per second and long tasks of the page.
//
//   npm run build -w app && node app/bench/console-fps.mjs [--drivers 5000] [--seconds 20] [--zooms 11,13] [--dist ../dist]
//
// A stand-in for the server sends the real protocol over a real socket: a snapshot, then every second one change in
// which every driver has moved, and some have changed state. The page is the built one, with its client library. So the
// figures are those of the page alone, without a server that competes for the same cores. It runs in Chromium
// (CHROMIUM, or /usr/bin/chromium) with its software renderer, as on a machine without a graphics card: a real one
// draws more.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values: options } = parseArgs({
  options: {
    drivers: { type: 'string', default: '5000' },
    trips: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '20' },
    zooms: { type: 'string', default: '11,13' },
    dist: { type: 'string', default: join(here, '../../dist') },
    screenshot: { type: 'string' },
  },
});
const drivers = Number(options.drivers);
const trips = Number(options.trips);
const seconds = Number(options.seconds);
const center = { lat: 40.754, lng: -73.98 };

const wire = await loadWire();
const server = await serve();
const address = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
try {
  for (const zoom of options.zooms.split(',').map(Number)) console.log(JSON.stringify(await measure(zoom)));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
process.exit(0);

/** Opens the console at a zoom, lets it settle, and counts. */
async function measure(zoom) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block' });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error('page error:', error.message));
  await page.addInitScript((signedIn) => localStorage.setItem('hexhail.session', JSON.stringify(signedIn)), signedIn());
  await page.goto(`${address}/ops/map`);
  await page.getByText(new RegExp(`${drivers.toLocaleString('en')}`)).first().waitFor({ timeout: 60_000 });
  // The map begins at zoom 13; a step of the buttons is one.
  const step = page.getByRole('button', { name: zoom < 13 ? 'Zoom out' : 'Zoom in' });
  for (let z = 13; z !== zoom; z += Math.sign(zoom - z)) {
    await step.click();
    await page.waitForTimeout(1200);
  }
  await page.waitForTimeout(4000);
  const counted = await page.evaluate(count, seconds * 1000);
  if (options.screenshot) await page.screenshot({ path: `${options.screenshot}-${zoom}.png` });
  await context.close();
  return { drivers, trips, zoom, seconds, ...counted };
}

/** Runs in the page: counts frames, and what kept the main thread for longer than 50 ms. */
async function count(ms) {
  const long = [];
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => long.push(entry.duration)));
  observer.observe({ entryTypes: ['longtask'] });
  const gaps = [];
  const began = performance.now();
  let last = began;
  await new Promise((done) => {
    const frame = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - began < ms) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  observer.disconnect();
  gaps.sort((a, b) => a - b);
  const at = (share) => Math.round(gaps[Math.floor(gaps.length * share)]);
  return {
    framesPerSecond: Math.round((gaps.length / ms) * 10_000) / 10,
    frameMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: Math.round(gaps.at(-1)) },
    longTasks: long.length, longTaskMs: Math.round(long.reduce((sum, duration) => sum + duration, 0)), longestTaskMs: Math.round(Math.max(0, ...long)),
  };
}

/** The client library's own descriptors, and the protobuf runtime. */
async function loadWire() {
  const contents = "export { create, toBinary, fromBinary } from '@bufbuild/protobuf'; export * from './hexhail_pb.js';";
  const resolveDir = join(here, '../../client/src/gen');
  const { outputFiles } = await build({ stdin: { contents, resolveDir, loader: 'ts' }, bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

function account() {
  return {
    id: '01a20499-0000-7000-8000-000000000001', role: 'operator', status: 'active', username: 'bench', first_name: 'Bench', last_name: '', photo_url: '',
    rating_x100: 0, ratings: 0, created_at: new Date().toISOString(),
  };
}

function signedIn() {
  const later = new Date(Date.now() + 86_400_000).toISOString();
  return { account: account(), tokens: { access_token: 'bench', refresh_token: 'bench', expires_at: later } };
}

/** The built app, the few answers of the API that the page asks for, and the socket. */
async function serve() {
  const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.svg': 'image/svg+xml', '.json': 'application/json' };
  const answers = {
    '/v1/config': { demo: true, map: { style_url: '', pmtiles_url: '', attribution: '' } },
    '/v1/demo': { city: { center } },
    '/v1/demo/places': { points: [] },
    '/v1/admin/series': { samples: [] },
    '/v1/me': account(),
  };
  const http = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://bench').pathname;
    if (answers[path]) return response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answers[path]));
    const file = extname(path) ? path : '/index.html';
    const content = await readFile(join(options.dist, file)).catch(() => null);
    response.writeHead(content ? 200 : 404, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    return response.end(content ?? '');
  });
  const sockets = new WebSocketServer({ server: http, path: '/v1/ws', handleProtocols: () => 'hexhail.v1.proto' });
  sockets.on('connection', talk);
  await new Promise((ready) => http.listen(0, '127.0.0.1', ready));
  return http;
}

/** One session: `connected`, and when the city is watched, a city that never stands still. */
function talk(socket) {
  const send = (kind, value) => socket.send(wire.toBinary(wire.ServerFrameSchema, wire.create(wire.ServerFrameSchema, { kind: { case: kind, value } })));
  const reply = (id, result) => send('reply', { id, result });
  let moving;
  socket.on('close', () => clearInterval(moving));
  socket.on('message', (data) => {
    const { id, body } = wire.fromBinary(wire.ClientFrameSchema, data);
    const now = timestamp();
    if (body.case === 'connect') {
      reply(id, { case: 'connected', value: {
        sessionId: 's', epoch: 'e', accountId: account().id, role: wire.Role.operator, serverTime: now, heartbeatMs: 5000, positionTtlMs: 15_000,
      } });
    } else if (body.case === 'ping') {
      reply(id, { case: 'pong', value: { serverTime: now } });
    } else if (body.case === 'watchCity') {
      reply(id, { case: 'cityWatched', value: { watch: 1, intervalMs: 1000, resolution: 8, nodeStartedAt: now } });
      clearInterval(moving);
      const city = makeCity();
      const tell = (change) => send('event', { epoch: 'e', body: { case: 'cityChanged', value: { watch: 1, at: timestamp(), ...change } } });
      for (const part of city.snapshot()) tell(part);
      moving = setInterval(() => city.change().forEach(tell), 1000);
    }
  });
}

function timestamp() {
  const now = Date.now();
  return { seconds: BigInt(Math.floor(now / 1000)), nanos: (now % 1000) * 1e6 };
}

/** Drivers who all move 12 metres a second, each its own way, around a centre. */
function makeCity() {
  const scaled = (point) => ({ latE7: Math.round(point.lat * 1e7), lngE7: Math.round(point.lng * 1e7) });
  const near = () => ({ lat: center.lat + (Math.random() - 0.5) * 0.16, lng: center.lng + (Math.random() - 0.5) * 0.2 });
  const id = (n, kind) => `01a20499-${kind}-7000-8000-${String(n).padStart(12, '0')}`;
  const cars = Array.from({ length: drivers }, (_, key) => ({ key: key + 1, at: near(), heading: Math.random() * 360, state: 1 + (key % 3) }));
  const whole = (car) => ({
    key: car.key, id: id(car.key, '0001'), state: car.state, vehicleClass: car.key % 5 ? 'standard' : 'van', tripId: '', point: scaled(car.at), headingDeg: Math.round(car.heading),
  });
  const parts = (list, size) => Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
  const rides = Array.from({ length: trips }, (_, n) => ({
    id: id(n, '0002'), version: 2, status: 1 + (n % 4), pickup: scaled(near()), dropoff: scaled(near()), vehicleClass: 'standard', riderId: id(n, '0003'), driverId: '', requestedAt: timestamp(),
  }));
  const totals = { driversAvailable: Math.ceil(drivers / 3), driversOffered: Math.floor(drivers / 3), driversOnTrip: drivers - Math.ceil(drivers / 3) - Math.floor(drivers / 3), sessions: drivers };
  return {
    snapshot: () => [
      { reset: true, snapshot: true, totals },
      ...parts(rides, 500).map((list) => ({ snapshot: true, trips: list })),
      ...parts(cars.map(whole), 500).map((list) => ({ snapshot: true, drivers: list })),
    ],
    change() {
      for (const car of cars) {
        car.heading = (car.heading + (Math.random() - 0.5) * 30 + 360) % 360;
        car.at = {
          lat: car.at.lat + (12 / 111_200) * Math.cos((car.heading * Math.PI) / 180),
          lng: car.at.lng + (12 / 84_200) * Math.sin((car.heading * Math.PI) / 180),
        };
      }
      const changed = new Set(cars.filter(() => Math.random() < 0.01));
      for (const car of changed) car.state = 1 + (car.state % 3);
      const moves = cars.filter((car) => !changed.has(car)).map((car) => ({ key: car.key, point: scaled(car.at), headingDeg: Math.round(car.heading) }));
      return [{ drivers: [...changed].map(whole), totals }, ...parts(moves, 1000).map((list) => ({ moves: list }))];
    },
  };
}
