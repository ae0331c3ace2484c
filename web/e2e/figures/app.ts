import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { signUp } from '../src/account';
import { accept, askButton, driverAt, goOnline, pickup, plan } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve', '--limit-requests-per-second=1000', '--limit-requests-burst=5000');

/** The routes whose first load is weighed, by who may open them. */
const routes = { rider: ['/ride', '/trips', '/profile'], driver: ['/drive', '/earnings'], operator: ['/ops/map', '/ops/trips', '/ops/people', '/ops/actors', '/ops/audit'], nobody: ['/', '/signup', '/login'] };
/** What the page loads beside itself to draw a map, and does without where there is no WebGL. */
const ofMaps = /maplibre|ridemap|mapcanvas|h3-js|engine|deck|worker|land/i;
const loads = 10;
const moves = 200;

const say = (text: string) => process.stdout.write(`${text}\n`);
const kB = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
const quantile = (sorted: number[], q: number) => sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? NaN;

it('weighs the first load of each route', async () => {
  const sessions: Record<string, string | null> = { nobody: null };
  for (const role of ['rider', 'driver'] as const) {
    const p = await on.enter(english);
    await signUp(p, role, `weigh-${role}`, 'Mina', 'HX-1');
    sessions[role] = await p.page.evaluate(() => localStorage.getItem('hexhail.session'));
  }
  const made = on.server.createOperator('weigh');
  const login = await fetch(`${on.server.url}/v1/login`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username: 'weigh', password: made }),
  });
  sessions.operator = JSON.stringify(await login.json());
  say('\n| route | first load, gzip | of it maps |\n|---|---:|---:|');
  for (const [role, paths] of Object.entries(routes)) {
    for (const path of paths) {
      const context = await on.browser.newContext({ baseURL: on.server.url, serviceWorkers: 'block', locale: 'en-US' });
      await context.addInitScript((session) => {
        if (session) localStorage.setItem('hexhail.session', session);
      }, sessions[role] ?? null);
      const page = await context.newPage();
      const sizes = new Map<string, Promise<number>>();
      page.on('response', (r) => {
        if (!/\/v1\/|\.png|\.webmanifest/.test(r.url())) sizes.set(r.url(), r.body().then((b) => gzipSync(b, { level: 9 }).length, () => 0));
      });
      await page.goto(path, { waitUntil: 'networkidle' });
      expect(new URL(page.url()).pathname).toBe(path);
      let all = 0;
      let maps = 0;
      for (const [url, size] of sizes) {
        const bytes = await size;
        all += bytes;
        if (ofMaps.test(url)) maps += bytes;
      }
      say(`| ${path} | ${kB(all)} | ${maps > 0 ? kB(maps) : '–'} |`);
      await context.close();
    }
  }
});

it("tells when the rider's page is interactive", async () => {
  const rider = await on.enter(english, pickup);
  await signUp(rider, 'rider', 'tti', 'Mina');
  await plan(rider);
  await rider.page.addInitScript(() => {
    const marks = { enabled: 0, lastLong: 0 };
    (window as unknown as { marks: typeof marks }).marks = marks;
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) marks.lastLong = Math.max(marks.lastLong, e.startTime + e.duration);
    }).observe({ type: 'longtask', buffered: true });
    const look = () => {
      const ask = Array.from(document.querySelectorAll('button')).find((b) => b.textContent.startsWith('Ask for') && !b.disabled);
      if (ask) marks.enabled = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const times: number[] = [];
  const enabled: number[] = [];
  for (let i = 0; i < loads; i++) {
    await rider.page.reload();
    const at = await rider.page.waitForFunction(() => {
      const { marks } = window as unknown as { marks: { enabled: number; lastLong: number } };
      const interactive = Math.max(marks.enabled, marks.lastLong);
      return marks.enabled > 0 && performance.now() - interactive > 500 ? interactive : 0;
    });
    times.push(await at.jsonValue());
    enabled.push(await rider.page.evaluate(() => (window as unknown as { marks: { enabled: number } }).marks.enabled));
  }
  times.sort((a, b) => a - b);
  enabled.sort((a, b) => a - b);
  say(`\nthe button that asks, with its price: median ${quantile(enabled, 0.5).toFixed(0)} ms, from ${enabled[0]?.toFixed(0)} to ${enabled.at(-1)?.toFixed(0)} ms`);
  say(`\ntime to interactive of /ride, ${loads} loads: median ${quantile(times, 0.5).toFixed(0)} ms, from ${times[0]?.toFixed(0)} to ${times.at(-1)?.toFixed(0)} ms`);
});

it("tells how soon a driver's move is seen", async () => {
  const [rider, driver] = [await on.enter(english, pickup), await on.enter(english, driverAt)];
  // Without motion the marker jumps: its first movement is its whole movement.
  await rider.page.emulateMedia({ reducedMotion: 'reduce' });
  await driver.page.addInitScript(() => {
    const sent: number[] = [];
    (window as unknown as { sent: number[] }).sent = sent;
    const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')?.value as (this: WebSocket, data: unknown) => void;
    WebSocket.prototype.send = function (data) {
      // A position has no id, so its frame begins with the tag of field 6, location.
      if (ArrayBuffer.isView(data) && new Uint8Array(data.buffer, data.byteOffset)[0] === ((6 << 3) | 2)) sent.push(performance.timeOrigin + performance.now());
      send.call(this, data);
    };
  });
  await signUp(rider, 'rider', 'mover-r', 'Mina');
  await signUp(driver, 'driver', 'mover-d', 'Dana', 'HX-2');
  await goOnline(driver);
  await plan(rider);
  await askButton(rider).click();
  await accept(driver);
  const car = rider.page.getByRole('img', { name: 'HX-2' });
  await car.waitFor();
  await car.evaluate((element) => {
    const moved: number[] = [];
    (window as unknown as { moved: number[] }).moved = moved;
    const marker = element.closest('.maplibregl-marker') ?? element;
    let at = marker.getAttribute('style');
    new MutationObserver(() => {
      const now = marker.getAttribute('style');
      if (now !== at) moved.push(performance.timeOrigin + performance.now());
      at = now;
    }).observe(marker, { attributes: true, attributeFilter: ['style'] });
  });
  const delays: number[] = [];
  for (let i = 1; delays.length < moves; i++) {
    const before = await driver.page.evaluate(() => (window as unknown as { sent: number[] }).sent.length);
    await driver.context.setGeolocation({ latitude: driverAt.latitude - i * 0.00002, longitude: driverAt.longitude + (i % 2) * 0.00002 });
    const sent = await (await driver.page.waitForFunction((n) => (window as unknown as { sent: number[] }).sent[n] ?? 0, before)).jsonValue();
    const seen = await (await rider.page.waitForFunction((t) => (window as unknown as { moved: number[] }).moved.find((m) => m > t) ?? 0, sent)).jsonValue();
    delays.push(seen - sent);
  }
  delays.sort((a, b) => a - b);
  say(`\nfrom a driver's move sent to the rider's marker moved, ${delays.length} moves: median ${quantile(delays, 0.5).toFixed(0)} ms, p95 ${quantile(delays, 0.95).toFixed(0)} ms, most ${delays.at(-1)?.toFixed(0)} ms`);
});
