import { describe, expect, it } from 'vitest';

import type { Page } from 'playwright-core';

import type { Person } from '../src/person';
import { coloursOf } from '../src/picture';
import { askButton, offerCard } from '../src/ride';
import { english, stage } from '../src/stage';
import { anyOf } from '../src/words';

const on = stage('demo', '--headless', '--drivers=120');

async function visit(p: Person, act: 'riderAct' | 'driverAct' | 'operatorAct'): Promise<void> {
  await p.page.goto('/');
  const roles = p.page.getByRole('region', { name: anyOf(p.t, 'account:demo.title', 'city') });
  await roles.getByRole('button').first().waitFor();
  expect(await roles.getByRole('button').count()).toBe(3);
  await roles.getByRole('button', { name: p.t(`account:demo.${act}`), exact: true }).click();
}

/** The milliseconds from the request to the match of the only trip of the person whose page this is, as the server has them. */
function timeToMatch(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { tokens } = JSON.parse(localStorage.getItem('hexhail.session') ?? '') as { tokens: { access_token: string } };
    const answer = await fetch('/v1/trips?limit=1', { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const [trip] = ((await answer.json()) as { items: { requested_at: string; matched_at: string }[] }).items;
    return Date.parse(trip?.matched_at ?? '') - Date.parse(trip?.requested_at ?? '');
  });
}

describe('the demonstration', () => {
  it('matches a visiting rider with a simulated driver within half a minute', async () => {
    const rider = await on.enter(english);
    const { page, t } = rider;
    await page.goto('/');
    await rider.checkAccess('landing of a demonstration');
    await visit(rider, 'riderAct');
    await page.waitForURL('**/ride');
    await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().click();
    await askButton(rider).click();
    await page.getByRole('region', { name: t('rider:driver.label') }).waitFor();
    expect(await timeToMatch(page)).toBeLessThan(30_000);
    await page.getByRole('img', { name: /.+/ }).first().waitFor();

    // Without any network beyond this machine there is a map all the same, drawn by its worker.
    const map = page.getByRole('region', { name: t('rider:map') });
    await map.waitFor();
    await expect.poll(() => coloursOf(page, map), { timeout: 60_000 }).toBeGreaterThan(4);
    expect(page.workers().length).toBeGreaterThan(0);
  });

  it('gives a visiting driver a ride', async () => {
    const driver = await on.enter(english);
    await visit(driver, 'driverAct');
    await driver.page.waitForURL('**/drive');
    await driver.button(driver.t('driver:duty.goOnline')).click();
    // A simulated driver may be faster, and a card in another's place takes clicks a moment later: then the next one.
    const mine = driver.heading(driver.t('driver:trip.title.matched')).or(driver.heading(driver.t('driver:trip.title.atPickup')));
    await expect.poll(async () => {
      await offerCard(driver).first().getByRole('button', { name: driver.t('driver:offers.accept') }).click({ timeout: 20_000 }).catch(() => undefined);
      return mine.waitFor({ timeout: 5000 }).then(() => true, () => false);
    }, { timeout: 180_000 }).toBe(true);
    await driver.checkAccess('visiting driver');
  });

  it('shows a visiting operator the city', async () => {
    const operator = await on.enter(english);
    await visit(operator, 'operatorAct');
    await operator.page.waitForURL('**/ops/map');
    await operator.page.getByRole('main').waitFor();
    await operator.checkAccess('operations map');
  });
});
