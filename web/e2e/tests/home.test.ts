import { describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import { Operator } from '../src/console';
import { delayAtRandom, viewOf } from '../src/mapview';
import type { Person, Setting } from '../src/person';
import { english, stage } from '../src/stage';
import { anyOf } from '../src/words';

/** A load of the page shows whatever order its answers came in; a race that loses every other time loses here. */
const loads = { desktop: 7, tablet: 3, phone: 3 } as const;
const answers = /\/v1\/(config|demo|trips)|\/assets\//;
const devices: Setting[] = [
  { language: 'en', scheme: 'light', device: 'desktop' }, { language: 'en', scheme: 'light', device: 'tablet' }, { language: 'ko', scheme: 'dark', device: 'phone' },
];

/** Waits until the map shows a city around a place. */
function showsCity(p: Person, lat: number, lng: number) {
  return expect.poll(async () => {
    const view = await viewOf(p.page);
    return view !== null && Math.abs(view.lat - lat) < 0.3 && Math.abs(view.lng - lng) < 0.3 && view.zoom >= 9;
  }, { timeout: 60_000, message: `a map around ${lat}, ${lng}` });
}

describe('the map of a demonstration', () => {
  const on = stage('demo', '--headless', '--drivers=20');
  const newYork = [40.75, -73.98] as const;

  it.each(devices)('opens on the city on every load on a $device, whatever answer comes first', async (setting) => {
    const rider = await on.enter(setting);
    const { page, t } = rider;
    await page.goto('/');
    await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') }).getByRole('button', { name: t('account:demo.riderAct'), exact: true }).click();
    await page.waitForURL('**/ride');
    await showsCity(rider, ...newYork).toBe(true);
    await delayAtRandom(page, answers, 700);
    for (let i = 0; i < loads[setting.device]; i++) {
      await page.evaluate(() => localStorage.removeItem('hexhail.map')); // as at the first visit
      await page.reload();
      await showsCity(rider, ...newYork).toBe(true);
    }
  });

  it('stays where somebody went before it knew the city', async () => {
    const rider = await on.enter(english);
    const { page, t } = rider;
    await page.goto('/');
    await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') }).getByRole('button', { name: t('account:demo.riderAct'), exact: true }).click();
    await page.waitForURL('**/ride');
    await showsCity(rider, ...newYork).toBe(true);
    await page.evaluate(() => localStorage.removeItem('hexhail.map'));
    let letGo = (): void => undefined;
    const held = new Promise<void>((done) => { letGo = done; });
    await page.addInitScript(() => { Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'); });
    await page.route(/\/v1\/demo$/, async (route) => {
      await held;
      await route.continue();
    });
    await page.reload();
    await rider.button(t('map:controls.zoomIn')).click();
    await expect.poll(async () => (await viewOf(page))?.zoom, { timeout: 60_000 }).toBe(4);
    const answered = page.waitForResponse(/\/v1\/demo$/);
    letGo();
    await answered;
    await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).waitFor();
    expect((await viewOf(page))?.zoom).toBe(4);
  });
});

describe('the map of a server with a home', () => {
  const on = stage('serve', '--home=47.4979,19.0402,12.5');

  it('opens there, for riders, drivers who have no position, and operators', async () => {
    const operators = new Operator(on);
    for (const role of ['rider', 'driver'] as const) {
      const person = await on.enter(english);
      await delayAtRandom(person.page, answers, 700);
      await comeAs(person, role, `home-${role}`, 'Hana');
      await showsCity(person, 47.4979, 19.0402).toBe(true);
      expect((await viewOf(person.page))?.zoom).toBe(12.5);
    }
    const operator = await operators.enter(english);
    await showsCity(operator, 47.4979, 19.0402).toBe(true);
  });
});

describe('the map of a server without a home', () => {
  const on = stage('serve');
  const seoul = { latitude: 37.5665, longitude: 126.978 };

  it('opens on the part of the world that the browser is in, and the next time at the last place', async () => {
    const rider = await on.enter(english);
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await expect.poll(() => viewOf(rider.page), { timeout: 60_000 }).toMatchObject({ zoom: 3 }); // the Americas, by the time zone
    expect((await viewOf(rider.page))?.lng).toBeLessThan(-60);
    await rider.context.grantPermissions(['geolocation']);
    await rider.context.setGeolocation(seoul);
    await rider.page.reload();
    await showsCity(rider, seoul.latitude, seoul.longitude).toBe(true);
    await rider.context.clearPermissions();
    await rider.page.evaluate(() => {
      // A plan that is forgotten.
      for (const key of Object.keys(localStorage)) if (key.startsWith('hexhail.rider')) localStorage.removeItem(key);
    });
    await rider.page.reload();
    await showsCity(rider, seoul.latitude, seoul.longitude).toBe(true);
  });
});
