import { describe, expect, it } from 'vitest';

import { signUp } from '../src/account';
import type { Person, Setting } from '../src/person';
import { accept, askButton, driverAt, dropoff, enterPin, goOnline, offerCard, pickup, pinOf, plan } from '../src/ride';
import { stage } from '../src/stage';
import { anyOf } from '../src/words';

const on = stage('serve', '--trip-pin');

const settings: Setting[] = [
  { language: 'en', scheme: 'light', device: 'desktop', motion: 'full' },
  { language: 'ko', scheme: 'dark', device: 'phone' },
];

describe.each(settings)('a whole ride in $language on a $device, $scheme', (setting) => {
  it('goes from sign-up to rating, through a cut network and a killed server', async () => {
    // One rider is found by the browser, the other types where to go.
    const rider = await on.enter(setting, setting.device === 'desktop' ? pickup : undefined);
    const driver = await on.enter(setting, driverAt);
    const [names, plate] = [{ rider: 'Mina', driver: 'Dana' }, `HX-${setting.language}-1`];
    await signUp(rider, 'rider', `mina-${setting.language}`, names.rider);
    await signUp(driver, 'driver', `dana-${setting.language}`, names.driver, plate);
    await driver.checkAccess('driver offline');
    await goOnline(driver);
    await driver.checkAccess('driver online');

    await rider.checkAccess('planning');
    await plan(rider);
    await rider.checkAccess('quotes');
    await askButton(rider).click();
    await rider.heading(rider.t('rider:searching.title')).waitFor();
    await rider.page.getByText(rider.t('rider:searching.pin')).waitFor();
    await rider.checkAccess('searching');
    if (setting.device === 'phone') await enlargeSheet(rider);
    await offerCard(driver).waitFor();
    await driver.checkAccess('offer');
    await accept(driver);
    await rider.heading(rider.t('rider:coming.title', { name: names.driver })).waitFor();
    if (setting.device === 'phone') await expect.poll(() => sheetShare(rider)).toBeLessThan(0.63); // the map is to be seen again
    const card = rider.page.getByRole('region', { name: rider.t('rider:driver.label') });
    expect(await card.textContent()).toContain(plate);
    expect(await card.textContent()).toContain(names.driver);
    const pin = await pinOf(rider);
    expect(pin).toMatch(/^\d{4}$/);
    await Promise.all([rider.checkAccess('driver on the way'), driver.checkAccess('driving to the pickup')]);

    await survivesCut([rider, driver], async () => {
      // What was known stays on the screen.
      expect(await rider.heading(rider.t('rider:coming.title', { name: names.driver })).isVisible()).toBe(true);
      expect(await pinOf(rider)).toBe(pin);
      expect(await driver.heading(driver.t('driver:trip.title.matched')).isVisible()).toBe(true);
      await Promise.all([rider.checkAccess('rider without a network'), driver.checkAccess('driver without a network')]);
    });

    await driver.context.setGeolocation(pickup);
    await driver.heading(driver.t('driver:trip.title.atPickup')).waitFor(); // a step elsewhere would ask for a reason
    await driver.button(driver.t('driver:trip.arrived')).click();
    await rider.heading(rider.t('rider:arrived.title', { name: names.driver })).waitFor();
    await driver.heading(driver.t('driver:trip.title.arrived')).waitFor();
    await startWithPin(driver, pin);
    await Promise.all([
      rider.heading(rider.t('rider:riding.title')).waitFor(),
      driver.heading(driver.t('driver:trip.title.riding')).waitFor(),
    ]);
    await Promise.all([rider.checkAccess('riding'), driver.checkAccess('driving')]);

    await on.server.kill();
    await Promise.all([rider, driver].map((p) => banner(p).waitFor()));
    await on.server.restart();
    await Promise.all([rider, driver].map((p) => banner(p).waitFor({ state: 'hidden' })));
    expect(await rider.heading(rider.t('rider:riding.title')).isVisible()).toBe(true);

    await driver.context.setGeolocation(dropoff);
    await driver.heading(driver.t('driver:trip.title.atDropoff')).waitFor();
    await driver.button(driver.t('driver:trip.complete')).click();
    await driver.heading(driver.t('driver:ended.title')).waitFor();
    await rider.heading(rider.t('rider:completed.title')).waitFor();
    const total = await rider.page.getByRole('table').getByText(/\$\s?\d+\.\d\d/).last().textContent();
    expect(total).toMatch(/\d/);
    await Promise.all([rider.checkAccess('completed'), driver.checkAccess('driver completed')]);
    await rate(rider, driver);
    // The receipt is still there; only the rider puts it away.
    await rider.heading(rider.t('rider:completed.title')).waitFor();
    expect(await rider.page.getByRole('table').getByText(total ?? '', { exact: true }).count()).toBeGreaterThan(0);
    await rider.checkAccess('rated');
    await rider.button(rider.t('rider:end.done')).click();
    await rider.heading(rider.t('rider:completed.title')).waitFor({ state: 'hidden' });
    await history(rider, names.driver);
    await history(driver, names.rider);
  });
});

/** Draws the rider's sheet up as far as it goes, by its handle's keys. */
async function enlargeSheet({ page, t }: Person): Promise<void> {
  const handle = page.getByRole('region', { name: t('rider:panel'), exact: true }).getByRole('button', { name: new RegExp(`^(${t('map:sheet.larger')}|${t('map:sheet.smaller')})$`) });
  await handle.press('ArrowUp');
}

/** How much of the page below the header the rider's sheet covers. */
async function sheetShare({ page, t }: Person): Promise<number> {
  const sheet = await page.getByRole('region', { name: t('rider:panel'), exact: true }).boundingBox();
  const main = await page.getByRole('main').boundingBox();
  return (sheet?.height ?? 0) / (main?.height ?? 1);
}

function banner({ page, t }: Person) {
  return page.getByText(new RegExp([t('connection.waiting'), t('connection.connecting'), t('connection.shutdown')].join('|')));
}

async function survivesCut(cut: Person[], meanwhile: () => Promise<void>): Promise<void> {
  for (const p of cut) p.network.cut();
  await Promise.all(cut.map((p) => banner(p).waitFor()));
  await meanwhile();
  for (const p of cut) p.network.mend();
  await Promise.all(cut.map((p) => banner(p).waitFor({ state: 'hidden' })));
}

/** Tries a wrong PIN first. The driver is asked for one without having to try a start. */
async function startWithPin(driver: Person, pin: string): Promise<void> {
  const { page, t } = driver;
  const first = page.getByRole('textbox', { name: t('driver:pin.digitOf', { n: 1, of: 4 }) });
  await first.waitFor();
  await enterPin(driver, String((Number(pin) + 1) % 10_000).padStart(4, '0'));
  await page.getByText(t('driver:problem.wrong_pin')).waitFor();
  await driver.checkAccess('wrong PIN');
  await enterPin(driver, pin);
}

async function rate(rider: Person, driver: Person): Promise<void> {
  await rider.page.getByRole('radio', { name: rider.t('trips:rating.stars', { count: 5 }) }).press('Space');
  await rider.page.getByLabel(rider.t('trips:rating.comment')).fill('A calm ride');
  await rider.button(rider.t('trips:rating.send')).click();
  await rider.page.getByText(rider.t('trips:rating.thanks')).waitFor();
  await driver.page.getByRole('radio', { name: driver.t('driver:ended.stars', { count: 4 }) }).press('Space');
  await driver.button(driver.t('driver:ended.send')).click();
  await driver.page.getByText(driver.t('driver:ended.thanks')).waitFor();
}

/** The ride is in the history, with all that belongs to it. */
async function history(p: Person, other: string): Promise<void> {
  const { page, t } = p;
  await page.goto('/trips');
  const trip = page.getByRole('link').filter({ hasText: other });
  await trip.waitFor();
  await p.checkAccess('history');
  await trip.click();
  await page.getByRole('heading', { name: anyOf(t, 'trips:detail.titleAt', 'at') }).waitFor();
  await page.getByText(other).first().waitFor();
  await p.checkAccess('trip');
}
