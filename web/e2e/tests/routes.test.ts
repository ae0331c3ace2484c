import { describe, expect, it } from 'vitest';

import { signUp } from '../src/account';
import { viewOf } from '../src/mapview';
import type { Person, Setting } from '../src/person';
import { accept, askButton, driverAt, dropoff, goOnline, offerCard, pickup, plan } from '../src/ride';
import { stage } from '../src/stage';

const manhattan = new URL('../../../geo/streets/manhattan/manhattan_20191026.osm.pbf', import.meta.url).pathname;
const on = stage('serve', '--trial', `--streets=${manhattan}`);

const settings: Setting[] = [
  { language: 'en', scheme: 'light', device: 'phone' },
  { language: 'ko', scheme: 'dark', device: 'desktop' },
];

describe.each(settings)('a ride along streets in $language on a $device', (setting) => {
  it('shows both the way and the driver the turns, to the pickup and to the drop-off', async () => {
    const rider = await on.enter(setting, pickup);
    const driver = await on.enter(setting, driverAt);
    const name = `dana-${setting.language}`;
    await signUp(rider, 'rider', `mina-${setting.language}`, 'Mina');
    await signUp(driver, 'driver', name, 'Dana', `HX-${setting.language}-2`);
    await goOnline(driver);
    await plan(rider);
    await askButton(rider).click();
    await offerCard(driver).first().waitFor();
    await accept(driver);
    await rider.heading(rider.t('rider:coming.title', { name: 'Dana' })).waitFor();

    await Promise.all([way(rider), way(driver)]);
    await lists(driver, 'atPickup');
    await seesTheRoadAhead(driver);
    await Promise.all([rider.checkAccess('the way to the pickup'), driver.checkAccess('the turns to the pickup')]);
    expect(await turns(rider).count()).toBe(0);

    await driver.context.setGeolocation(pickup);
    await driver.heading(driver.t('driver:trip.title.atPickup')).waitFor();
    await driver.button(driver.t('driver:trip.arrived')).click();
    await driver.button(driver.t('driver:trip.start')).click();
    await rider.heading(rider.t('rider:riding.title')).waitFor();
    await Promise.all([way(rider), way(driver)]);
    await lists(driver, 'atDropoff');

    await driver.context.setGeolocation(dropoff);
    await driver.heading(driver.t('driver:trip.title.atDropoff')).waitFor();
    await driver.button(driver.t('driver:trip.complete')).click();
    await rider.heading(rider.t('rider:completed.title')).waitFor();
    await turns(driver).waitFor({ state: 'hidden' });
  });
});

const turns = ({ page, t }: Person) => page.getByRole('region', { name: t('driver:turns.label'), exact: true });

/** The map draws a way along streets, and how much of it is driven. */
async function way({ page }: Person): Promise<void> {
  await page.locator('[data-driven]').first().waitFor();
}

/** The list of turns ends at the goal, names streets, and says whose data they are. */
async function lists(driver: Person, goal: 'atPickup' | 'atDropoff'): Promise<void> {
  const { page, t } = driver;
  await turns(driver).getByRole('button', { name: new RegExp(t('driver:turns.open')) }).click();
  const list = page.getByRole('dialog', { name: t('driver:turns.list') });
  await list.getByRole('listitem').last().getByText(t(`driver:turns.do.${goal}`)).waitFor();
  expect(await list.getByText(/(Avenue|Street)/).count()).toBeGreaterThan(0);
  await list.getByRole('link', { name: '© OpenStreetMap contributors' }).waitFor();
  await driver.checkAccess(`the list of turns, ${goal}`);
  await page.keyboard.press('Escape');
  await list.waitFor({ state: 'hidden' });
}

/** The camera goes to the car and back to the whole way. */
async function seesTheRoadAhead({ page, t }: Person): Promise<void> {
  await page.getByRole('button', { name: t('map:controls.drive') }).click();
  await expect.poll(async () => Math.abs(((await viewOf(page))?.zoom ?? 0) - 16)).toBeLessThan(0.1);
  await page.getByRole('button', { name: t('map:controls.overview') }).click();
  await expect.poll(async () => (await viewOf(page))?.zoom ?? 99).toBeLessThan(15.6);
}
