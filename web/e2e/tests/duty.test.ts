import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import { askButton, callOff, driverAt, goOnline, offerCard, pickup, plan } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve');

declare global {
  interface Window {
    /** What the page asked of the device that stands in for the real one. */
    asked: { locks: number; released: number; permissions: number; notifications: string[]; tones: number };
    hide(hidden: boolean): void;
  }
}

/** A device with a screen that can be kept on, and with notifications: headless browsers have neither. */
function device(): void {
  const asked = { locks: 0, released: 0, permissions: 0, notifications: [] as string[], tones: 0 };
  window.asked = asked;
  const locks = new Set<{ released: boolean }>();
  const request = () => {
    asked.locks++;
    const lock = {
      released: false,
      release: () => {
        if (!lock.released) asked.released++;
        lock.released = true;
        return Promise.resolve();
      },
    };
    locks.add(lock);
    return Promise.resolve(lock);
  };
  Object.defineProperty(Navigator.prototype, 'wakeLock', { configurable: true, get: () => ({ request }) });
  let hidden = false;
  Object.defineProperty(Document.prototype, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') });
  window.hide = (h) => {
    hidden = h;
    if (h) for (const lock of locks) lock.released = true; // as browsers do
    document.dispatchEvent(new Event('visibilitychange'));
  };
  let permission = 'default';
  Object.defineProperty(Notification, 'permission', { get: () => permission });
  Notification.requestPermission = () => {
    asked.permissions++;
    permission = 'granted';
    return Promise.resolve('granted');
  };
  ServiceWorkerRegistration.prototype.showNotification = (_title, options) => {
    asked.notifications.push(options?.body ?? '');
    return Promise.resolve();
  };
  OscillatorNode.prototype.start = () => {
    asked.tones++;
  };
  OscillatorNode.prototype.stop = () => undefined; // what did not start cannot be stopped
}

const askedOf = (page: Page) => page.evaluate(() => window.asked);

describe('a driver on duty', () => {
  it('keeps the screen on, and is called by sound and notification once asked for', async () => {
    const driver = await on.enter(english, driverAt);
    const rider = await on.enter(english, pickup);
    const { page, t } = driver;
    await page.addInitScript(device);
    await comeAs(driver, 'driver', 'dana', 'Dana');
    expect(await askedOf(page)).toMatchObject({ locks: 0 });
    await goOnline(driver);
    await expect.poll(() => askedOf(page)).toMatchObject({ locks: 1, released: 0 });
    await page.evaluate(() => { window.hide(true); });
    await page.evaluate(() => { window.hide(false); });
    await expect.poll(() => askedOf(page)).toMatchObject({ locks: 2 });
    expect(await page.getByText(t('driver:duty.screenOff')).count()).toBe(0);

    // The page asks for no permission and makes no sound before a click.
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await plan(rider);
    await askButton(rider).click();
    await offerCard(driver).waitFor();
    expect(await askedOf(page)).toMatchObject({ permissions: 0, notifications: [], tones: 0 });
    const lost = page.getByRole('log', { name: t('driver:lost.label') }).getByText(t('driver:lost.cancelled')).waitFor();
    await Promise.all([callOff(rider), lost]); // it is there for a few seconds only

    await driver.button(t('alerts.title')).click();
    await page.getByRole('switch', { name: t('alerts.sound') }).click();
    await page.getByRole('switch', { name: t('alerts.system') }).click();
    await driver.checkAccess('alerts');
    await expect.poll(() => askedOf(page)).toMatchObject({ permissions: 1, tones: 2 });
    await page.keyboard.press('Escape');
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.evaluate(() => { window.hide(true); });
    await rider.button(rider.t('rider:cancelled.again')).click();
    await askButton(rider).click();
    await expect.poll(async () => (await askedOf(page)).notifications.length, { timeout: 60_000 }).toBe(1);
    expect((await askedOf(page)).notifications[0]).toMatch(/\$\d+\.\d\d/);
    await expect.poll(async () => (await askedOf(page)).tones).toBe(4);
    await page.evaluate(() => { window.hide(false); });

    await offerCard(driver).getByRole('button', { name: t('driver:offers.decline') }).click();
    await driver.button(t('driver:duty.goOffline')).click();
    await driver.heading(t('driver:duty.offline')).waitFor();
    await expect.poll(() => askedOf(page)).toMatchObject({ locks: 3, released: 1 }); // two went with the hidden page
    await callOff(rider);
  });

  it('is told when the screen cannot be kept on', async () => {
    const driver = await on.enter({ language: 'ko', scheme: 'dark', device: 'phone' }, driverAt);
    await driver.page.addInitScript(() => { Reflect.deleteProperty(Navigator.prototype, 'wakeLock'); });
    await comeAs(driver, 'driver', 'eli', 'Eli');
    await goOnline(driver);
    await driver.page.getByText(driver.t('driver:duty.screenOff')).waitFor();
    await driver.page.getByText(driver.t('driver:duty.screenOff')).scrollIntoViewIfNeeded();
    await driver.checkAccess('a screen that goes dark');
    await driver.button(driver.t('driver:duty.goOffline')).click();
    await driver.page.getByText(driver.t('driver:duty.screenOff')).waitFor({ state: 'hidden' });
  });
});
