import { describe, expect, it } from 'vitest';

import { comeAs, logIn } from '../src/account';
import { bot, ride } from '../src/bots';
import type { Setting } from '../src/person';
import { dropoff, pickup } from '../src/ride';
import { english, stage } from '../src/stage';
import { anyOf } from '../src/words';

const on = stage('serve', '--limit-requests-per-second=1000', '--limit-requests-burst=1000');
const point = ({ latitude, longitude }: typeof pickup) => ({ lat: latitude, lng: longitude });
const korean: Setting = { language: 'ko', scheme: 'dark', device: 'phone' };

describe('the history', () => {
  it('of a driver says when there is nothing, and where to go', async () => {
    const driver = await on.enter(korean);
    await comeAs(driver, 'driver', 'dana-0', 'Dana');
    await driver.page.goto('/trips');
    await driver.page.getByText(driver.t('trips:empty.driver')).waitFor();
    await driver.checkAccess('no trips');
    await driver.page.getByRole('link', { name: driver.t('trips:empty.drive') }).click();
    await driver.page.waitForURL('**/drive');
  });

  it('of a driver has pages, and each trip a page of its own with its story and its way', async () => {
    const [mina, dana] = await Promise.all([bot(on.server, 'rider', 'mina', 'Mina'), bot(on.server, 'driver', 'dana', 'Dana')]);
    await ride(mina, dana, 23, point(pickup), point(dropoff));
    mina.stop();
    dana.stop();

    const driver = await on.enter(english);
    const { page, t } = driver;
    await logIn(driver, 'dana');
    await page.goto('/trips');
    const trips = page.getByRole('link').filter({ hasText: 'Mina' });
    await trips.nth(19).waitFor();
    expect(await trips.count()).toBe(20);
    await driver.checkAccess("a driver's history");
    await driver.button(t('trips:more')).click();
    await trips.nth(22).waitFor();
    await page.getByText(t('trips:end')).waitFor();
    expect(new Set(await trips.evaluateAll((links) => links.map((l) => l.getAttribute('href')))).size).toBe(23);
    await page.getByText(t('trips:filter.cancelled'), { exact: true }).click();
    await page.getByText(t('trips:empty.filtered')).waitFor();
    await page.getByText(t('trips:filter.all'), { exact: true }).click();
    await trips.first().click();
    await page.getByRole('heading', { name: anyOf(t, 'trips:detail.titleAt', 'at') }).waitFor();
    // The driver sees the rider, and what the driver did.
    await page.getByRole('region', { name: t('trips:detail.rider'), exact: true }).getByText('Mina').waitFor();
    const story = page.getByRole('region', { name: t('trips:story.title') });
    for (const step of ['matched', 'arrived', 'started', 'completed']) await story.getByText(t(`trips:story.${step}.driver`)).waitFor();
    await page.getByRole('region', { name: t('trips:detail.map') }).first().waitFor();
    await driver.checkAccess("a driver's trip");
  });

  it('of a rider shows a trip with its story, on a phone in Korean', async () => {
    const rider = await on.enter(korean);
    const { page, t } = rider;
    await logIn(rider, 'mina');
    await page.goto('/trips');
    await page.getByRole('link').filter({ hasText: 'Dana' }).first().tap();
    const story = page.getByRole('region', { name: t('trips:story.title') });
    for (const step of ['matched', 'arrived', 'started', 'completed']) await story.getByText(t(`trips:story.${step}.rider`), { exact: true }).waitFor();
    await page.getByRole('region', { name: t('trips:fare.title') }).waitFor();
    await rider.checkAccess("a rider's trip");
    // Another person's trip and a trip that does not exist look alike.
    await page.goto('/trips/01a203dc-453f-7695-98a4-f9a43c94d7db');
    await page.getByRole('heading', { name: t('trips:detail.missing.title') }).waitFor();
    await rider.checkAccess('a trip that is not there');
  });
});
