import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { comeAs, makeAccount, password, signUp } from '../src/account';
import { fillIn } from '../src/dialog';
import type { Person, Setting } from '../src/person';
import { accept, askButton, driverAt, goOnline, pickup, plan } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve', '--trial', '--support-contact=help@rides.example.org');
const phone: Setting = { language: 'ko', scheme: 'dark', device: 'phone' };

describe.each([english, phone])('an account in $language on a $device', (setting) => {
  it('says whom to ask for a forgotten password, and that the server is on trial', async () => {
    const p = await on.enter(setting);
    const { page, t } = p;
    await page.goto('/login');
    await page.getByText(t('trial')).waitFor();
    await p.button(t('account:logIn.forgot')).click();
    const link = page.getByRole('link', { name: 'help@rides.example.org' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('mailto:help@rides.example.org');
    await p.checkAccess('log-in with help');
  });

  it('takes a name with the space that a keyboard added', async () => {
    const p = await on.enter(setting, pickup);
    const { page, t } = p;
    await makeAccount(p.network.url, 'rider', `sora-${setting.language}`, 'Sora');
    await page.goto('/login');
    await page.getByLabel(t('account:username')).fill(` sora-${setting.language} `);
    await page.getByLabel(t('account:password')).and(page.locator('input')).fill(password);
    await page.getByRole('main').getByRole('button', { name: t('account:logIn.send') }).click();
    await page.waitForURL('**/ride');
  });

  it('gives out what is held, and goes for good when its owner says so', async () => {
    const p = await on.enter(setting, pickup);
    const { page, t } = p;
    const username = `mina-${setting.language}`;
    await comeAs(p, 'rider', username, 'Mina');
    await page.goto('/profile');
    await p.checkAccess('profile');
    const download = page.waitForEvent('download');
    await p.button(t('account:data.export')).click();
    const held = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as { account: { account: { username: string } }; trips: unknown[] };
    expect(held.account.account.username).toBe(username);
    expect(held.trips).toEqual([]);

    await p.button(t('account:data.delete')).click();
    const dialog = page.getByRole('dialog', { name: t('account:data.deleteTitle') });
    const secret = dialog.getByLabel(t('account:data.confirm'));
    await secret.waitFor();
    await p.checkAccess('deletion');
    p.tolerated = /status of 4\d\d/;
    await fillIn([secret, 'not the password']);
    await dialog.getByRole('button', { name: t('account:data.delete') }).click();
    await dialog.getByText(t('account:errors.currentPassword')).waitFor();
    await fillIn([secret, password]);
    await dialog.getByRole('button', { name: t('account:data.delete') }).click();
    await page.getByText(t('account:data.deleted')).waitFor();
    await page.getByRole('heading', { name: t('account:landing.title') }).waitFor();
    const again = await fetch(`${p.network.url}/v1/login`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username, password }),
    });
    expect(again.status).toBe(401);
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => /rider|commands|session/.test(key)))).toEqual([]);
  });

  it('stays while a trip goes on, whose rider sees by what to know the car', async () => {
    const rider = await on.enter(setting, pickup);
    await comeAs(rider, 'rider', `noor-${setting.language}`, 'Noor');
    const driver = await on.enter(setting, driverAt);
    await signUp(driver, 'driver', `dana-${setting.language}`, 'Dana', 'HX-7');
    await describeCar(driver);
    await driver.page.goto('/drive');
    await goOnline(driver);
    await plan(rider);
    await askButton(rider).click();
    await accept(driver);
    const card = rider.page.getByRole('region', { name: rider.t('rider:driver.label') });
    await card.getByText(`${rider.t('colour.white')} Hyundai Ioniq 5`).waitFor();
    await rider.checkAccess('matched');

    await rider.page.goto('/profile');
    await rider.button(rider.t('account:data.delete')).click();
    await rider.page.getByRole('dialog').getByText(rider.t('account:data.riding')).waitFor();
    expect(await rider.page.getByRole('dialog').getByLabel(rider.t('account:data.confirm')).count()).toBe(0);
  });
});

async function describeCar({ page, t }: Person): Promise<void> {
  await page.goto('/profile');
  await page.getByLabel(t('account:vehicleMake')).fill('Hyundai');
  await page.getByLabel(t('account:vehicleModel')).fill('Ioniq 5');
  await page.getByLabel(t('account:vehicleColour')).and(page.locator('input')).fill(t('colour.white'));
  await page.getByLabel(t('account:vehicleColour')).and(page.locator('input')).press('Escape');
  await page.getByRole('button', { name: t('account:profile.save') }).click();
  await page.getByText(t('account:profile.saved')).waitFor();
}
