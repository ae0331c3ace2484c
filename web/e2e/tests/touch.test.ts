import { describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import { bot } from '../src/bots';
import { coveredByToasts, overflow, smallTargets } from '../src/layout';
import type { Person, Setting } from '../src/person';
import { accept, askButton, driverAt, dropoff, goOnline, offerCard, pickup, plan, pointOf } from '../src/ride';
import { stage } from '../src/stage';

const on = stage('serve');
const phone: Setting = { language: 'en', scheme: 'light', device: 'phone' };

/** What is too small on the page as it is now, or too wide for it, each in a line. */
async function faultsOf(p: Person, where: string): Promise<string[]> {
  const wide = await overflow(p);
  return [...await smallTargets(p), ...(wide > 0 ? [`${wide} px wider than the window`] : [])].map((fault) => `${where}: ${fault}`);
}

describe.each([390, 320])('a finger on a phone of %i pixels', (width) => {
  it('meets nothing smaller than itself on a rider’s way, and toasts out of the way', async () => {
    const rider = await on.enter(phone, pickup);
    const { page, t } = rider;
    const faults: string[] = [];
    const measure = async (where: string) => { faults.push(...await faultsOf(rider, where)); };
    await page.setViewportSize({ width, height: width === 320 ? 568 : 844 });
    for (const path of ['/', '/login', '/signup?role=rider', '/signup?role=driver']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await measure(path);
    }
    await comeAs(rider, 'rider', `mina-${width}`, 'Mina');
    await rider.heading(t('rider:plan.tap.dropoff')).waitFor();
    await measure('planning');
    await plan(rider);
    await measure('quotes');
    // The button stays within the sheet, and more than one class is to be seen above it.
    const sheet = await page.getByRole('region', { name: t('rider:panel'), exact: true }).boundingBox();
    const button = await askButton(rider).boundingBox();
    if (!sheet || !button) throw new Error('no sheet');
    expect(button.x).toBeGreaterThanOrEqual(sheet.x + 12);
    expect(button.x + button.width).toBeLessThanOrEqual(sheet.x + sheet.width - 12);
    const second = await page.getByRole('radio').nth(1).boundingBox();
    expect(second?.y).toBeLessThan(button.y - 10);

    await askButton(rider).click();
    await rider.heading(t('rider:searching.title')).waitFor();
    await measure('searching');
    const driver = await bot(on.server, 'driver', `dana-${width}`, 'Dana');
    const offered = new Promise<string>((done) => driver.on('offer', ({ id }) => { done(id); }));
    const matched = new Promise<string>((done) => driver.on('trip', ({ trip }) => { done(trip.id); }));
    await driver.goOnline(pointOf(pickup));
    await driver.acceptOffer(await offered);
    const trip = await matched;
    await page.getByRole('alert').filter({ hasText: 'Dana' }).first().waitFor();
    expect(await coveredByToasts(rider)).toEqual([]);
    await measure('matched');
    await rider.button(t('rider:cancel.ride')).click();
    await page.getByRole('dialog').waitFor();
    await measure('cancelling');
    await page.keyboard.press('Escape');
    await driver.arrived(trip);
    await driver.startTrip(trip);
    await rider.heading(t('rider:riding.title')).waitFor();
    await measure('riding');
    await driver.completeTrip(trip);
    await rider.heading(t('rider:completed.title')).waitFor();
    driver.stop();
    await measure('receipt');
    for (const path of ['/trips', '/profile']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await measure(path);
    }
    await page.getByLabel(t('account:lastName')).fill('Lee');
    await rider.button(t('account:profile.save')).click();
    await page.getByText(t('account:profile.saved'), { exact: true }).waitFor();
    expect(await coveredByToasts(rider)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('meets nothing smaller than itself on a driver’s way', async () => {
    const driver = await on.enter(phone, driverAt);
    const { page, t } = driver;
    const faults: string[] = [];
    const measure = async (where: string) => { faults.push(...await faultsOf(driver, where)); };
    await page.setViewportSize({ width, height: width === 320 ? 568 : 844 });
    await comeAs(driver, 'driver', `kim-${width}`, 'Kim');
    await driver.button(t('driver:duty.goOnline')).waitFor();
    await measure('offline');
    await goOnline(driver);
    await measure('online');
    const rider = await bot(on.server, 'rider', `noor-${width}`, 'Noor');
    await rider.requestTrip({ pickup: pointOf(pickup), dropoff: pointOf(dropoff), vehicle_class: 'standard', passengers: 1 });
    await offerCard(driver).waitFor();
    await measure('offer');
    await accept(driver);
    await measure('to the pickup');
    await driver.button(t('driver:giveBack.open')).click();
    await page.getByRole('dialog').waitFor();
    await measure('cancelling');
    // None of the reasons is the driver's until the driver says so.
    expect(await page.getByRole('radio', { checked: true }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await driver.context.setGeolocation(pickup);
    await driver.heading(t('driver:trip.title.atPickup')).waitFor();
    expect(await driver.heading(t('driver:trip.title.matched')).count()).toBe(0);
    await driver.button(t('driver:trip.arrived')).click();
    await driver.heading(t('driver:trip.title.arrived')).waitFor();
    await measure('waiting');
    await driver.button(t('driver:trip.start')).click();
    await driver.heading(t('driver:trip.title.riding')).waitFor();
    await measure('riding');
    await driver.context.setGeolocation(dropoff);
    await driver.heading(t('driver:trip.title.atDropoff')).waitFor();
    await driver.button(t('driver:trip.complete')).click();
    await driver.heading(t('driver:ended.title')).waitFor();
    await measure('finished');
    for (const path of ['/earnings', '/trips', '/profile']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await measure(path);
    }
    rider.stop();
    await page.goto('/trips');
    await page.getByRole('link').filter({ hasText: 'Noor' }).first().click();
    await page.getByText(t('trips:story.title')).waitFor();
    await measure('a trip');
    expect(faults).toEqual([]);
  });
});
