import { describe, it } from 'vitest';

import { comeAs } from '../src/account';
import { accept, askButton, callOff, driverAt, goOnline, offerCard, pickup, plan } from '../src/ride';
import { english, stage, type Stage } from '../src/stage';
import type { Person } from '../src/person';

async function riderWhoAsks(on: Stage, username: string): Promise<Person> {
  const rider = await on.enter(english, pickup);
  await comeAs(rider, 'rider', username, 'Mina');
  await plan(rider);
  return rider;
}

async function driverOnline(on: Stage, username: string, firstName: string): Promise<Person> {
  const driver = await on.enter(english, driverAt);
  await comeAs(driver, 'driver', username, firstName);
  await goOnline(driver);
  return driver;
}

describe('a search without drivers', () => {
  const on = stage('serve', '--trip-search-for=20s');

  it('says so when no driver came in time', async () => {
    const rider = await riderWhoAsks(on, 'mina-1');
    const { t } = rider;
    await askButton(rider).click();
    await rider.heading(t('rider:expired.title')).waitFor();
    await rider.page.getByText(t('rider:expired.text')).waitFor();
    await rider.checkAccess('expired');
    await rider.button(t('rider:expired.again')).click();
    await rider.heading(t('rider:searching.title')).waitFor();
  });
});

describe('a search', () => {
  const on = stage('serve', '--dispatch-policy=broadcast'); // several drivers hold the offer at once

  it('is called off by the rider', async () => {
    const rider = await riderWhoAsks(on, 'mina-1');
    await askButton(rider).click();
    await rider.heading(rider.t('rider:searching.title')).waitFor();
    await callOff(rider);
    await rider.checkAccess('cancelled');
    await rider.button(rider.t('rider:cancelled.again')).click();
    await askButton(rider).waitFor();
  });

  it('goes on when the driver gives the trip back, and tells a slower driver why an offer is gone', async () => {
    const rider = await riderWhoAsks(on, 'mina-2');
    const [first, second] = [await driverOnline(on, 'dana-2', 'Dana'), await driverOnline(on, 'eli-2', 'Eli')];
    await askButton(rider).click();
    await Promise.all([first, second].map((d) => offerCard(d).waitFor()));
    const taken = second.page.getByRole('log', { name: second.t('driver:lost.label') }).getByText(second.t('driver:lost.taken')).waitFor();
    await Promise.all([accept(first), taken]); // it is there for a few seconds only
    await rider.heading(rider.t('rider:coming.title', { name: 'Dana' })).waitFor();

    await first.button(first.t('driver:giveBack.open')).click();
    const dialog = first.page.getByRole('dialog', { name: first.t('driver:giveBack.title') });
    await dialog.getByRole('radio', { name: first.t('driver:giveBack.car') }).check();
    await first.checkAccess('giving back');
    await dialog.getByRole('button', { name: first.t('driver:giveBack.give') }).click();
    await rider.page.getByText(rider.t('rider:searching.again.title'), { exact: true }).waitFor();
    await accept(second);
    await rider.heading(rider.t('rider:coming.title', { name: 'Eli' })).waitFor();

    // Of a matched ride the driver hears the reason.
    await rider.button(rider.t('rider:cancel.ride')).click();
    const asked = rider.page.getByRole('dialog', { name: rider.t('rider:cancel.title.ride') });
    await asked.getByRole('radio', { name: rider.t('rider:cancel.reason.plans') }).check();
    await rider.checkAccess('cancelling');
    await asked.getByRole('button', { name: rider.t('rider:cancel.ride') }).click();
    await second.heading(second.t('driver:ended.cancelled')).waitFor();
    await second.page.getByText(rider.t('rider:cancel.reason.plans')).first().waitFor();
    await second.checkAccess('cancelled by the rider');
  });
});
