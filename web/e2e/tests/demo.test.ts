import { describe, expect, it } from 'vitest';

import type { Person } from '../src/person';
import { coloursOf } from '../src/picture';
import { accept, askButton, offerCard } from '../src/ride';
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

describe('the demonstration', () => {
  it('matches a visiting rider with a simulated driver within half a minute', async () => {
    const rider = await on.enter(english);
    const { page, t } = rider;
    await page.goto('/');
    await rider.checkAccess('landing of a demonstration');
    await visit(rider, 'riderAct');
    await page.waitForURL('**/ride');
    await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().click();
    const asked = Date.now();
    await askButton(rider).click();
    await page.getByRole('region', { name: t('rider:driver.label') }).waitFor();
    expect(Date.now() - asked).toBeLessThan(30_000);
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
    await offerCard(driver).first().waitFor({ timeout: 60_000 });
    await accept(driver);
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
