import { describe, it } from 'vitest';

import { comeAs } from '../src/account';
import type { Person, Setting } from '../src/person';
import { accept, askButton, driverAt, dropoff, goOnline, pickup } from '../src/ride';
import { stageWith } from '../src/stage';
import { anyOf } from '../src/words';

const on = stageWith('none', 'serve');

const settings: Setting[] = [
  { language: 'en', scheme: 'light', device: 'desktop' },
  { language: 'ko', scheme: 'dark', device: 'phone' },
];

async function sayPlace({ page, t }: Person, place: { latitude: number; longitude: number }): Promise<void> {
  await page.getByLabel(t('map:entry.lat')).fill(String(place.latitude));
  await page.getByLabel(t('map:entry.lng')).fill(String(place.longitude));
  await page.getByRole('button', { name: t('map:entry.use') }).click();
}

describe.each(settings)('a browser without WebGL, in $language on a $device', (setting) => {
  it('rides and drives without a map', async () => {
    const [rider, driver] = [await on.enter(setting), await on.enter(setting, driverAt)];
    const { page, t } = rider;
    await comeAs(rider, 'rider', `mina-${setting.language}`, 'Mina');
    await comeAs(driver, 'driver', `dana-${setting.language}`, 'Dana');
    await page.getByText(t('map:noWebgl.title')).waitFor();
    await driver.page.getByText(t('map:noWebgl.title')).waitFor();
    await Promise.all([rider.checkAccess('planning without a map'), driver.checkAccess('duty without a map')]);
    await sayPlace(rider, pickup);
    await rider.heading(t('rider:plan.where.dropoff')).waitFor();
    await sayPlace(rider, dropoff);
    await goOnline(driver);
    await askButton(rider).click();
    await accept(driver);
    await rider.heading(t('rider:coming.title', { name: 'Dana' })).waitFor();
    await Promise.all([rider.checkAccess('driver on the way without a map'), driver.checkAccess('driving without a map')]);
    // What the map would show is there in words.
    await page.getByText(anyOf(t, 'map:summary.carToPickup', 'distance')).waitFor();
    // Who is far from where a step belongs is asked why.
    await driver.context.setGeolocation(pickup);
    await driver.heading(driver.t('driver:trip.title.atPickup')).waitFor();
    await driver.button(driver.t('driver:trip.arrived')).click();
    await driver.button(driver.t('driver:trip.start')).click();
    await driver.context.setGeolocation(dropoff);
    await driver.heading(driver.t('driver:trip.title.atDropoff')).waitFor();
    await driver.button(driver.t('driver:trip.complete')).click();
    await rider.heading(t('rider:completed.title')).waitFor();
    await driver.heading(driver.t('driver:ended.title')).waitFor();
    await page.getByRole('link', { name: t('rider:end.details') }).click();
    await page.getByText(t('map:noWebgl.title')).waitFor();
  });
});
