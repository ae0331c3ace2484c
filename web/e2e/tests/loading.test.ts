import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';

import { comeAs, makeAccount } from '../src/account';
import type { Setting } from '../src/person';
import { stage } from '../src/stage';

const on = stage('serve');
const korean: Setting = { language: 'ko', scheme: 'dark', device: 'phone' };

/** Holds back the answers of these addresses until the returned function is called. */
async function hold(page: Page, addresses: RegExp): Promise<() => void> {
  let letGo = (): void => undefined;
  const held = new Promise<void>((done) => { letGo = done; });
  await page.route(addresses, async (route) => {
    await held;
    await route.continue().catch(() => undefined);
  });
  return letGo;
}

it.each([korean, { ...korean, language: 'en', device: 'desktop' }] satisfies Setting[])('shows what comes before any of it is there, $language', async (setting) => {
  const rider = await on.enter(setting);
  const { page, t } = rider;
  // What a service worker has kept would come at once.
  await page.addInitScript(() => { Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'); });
  await page.goto('/early.js');
  await page.evaluate((s) => localStorage.setItem('hexhail.session', s), await makeAccount(on.server.url, 'rider', `waits-${setting.language}`, 'Mina'));
  const [styles, code, map] = [await hold(page, /\/assets\/index\.css$/), await hold(page, /\/assets\/rider\.js$/), await hold(page, /\/assets\/RideMap\.js$/)];
  const words = page.getByText(t('loadingMap'), { exact: true }).filter({ visible: true });
  await page.goto('/', { waitUntil: 'commit' });
  await words.waitFor(); // nothing of the app's is there, nor its styles
  await rider.checkAccess('the first paint');
  styles();
  await page.getByRole('banner').getByRole('link').first().waitFor(); // the frame
  await words.waitFor();
  expect(await page.locator('#early').count()).toBe(0);
  code();
  await page.getByRole('region', { name: t('rider:panel'), exact: true }).waitFor();
  await words.waitFor();
  map();
  await words.waitFor({ state: 'detached' });
});

it('says when the app or a list cannot be loaded, and tries again', async () => {
  const rider = await on.enter(korean);
  rider.tolerated = /ERR_FAILED|ERR_INTERNET_DISCONNECTED/;
  const { page, t } = rider;
  await page.addInitScript(() => { Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'); });
  await page.route(/\/assets\/app\.js$/, (route) => route.abort());
  await page.goto('/');
  await page.getByText('Hexhail을 불러오지 못했습니다').waitFor();
  await rider.checkAccess('an app that does not load');
  await page.unroute(/\/assets\/app\.js$/);
  await page.getByRole('link', { name: '다시 시도' }).click();
  await rider.heading(t('account:landing.title')).waitFor();

  await comeAs(rider, 'rider', 'offline', 'Mina');
  await rider.heading(t('rider:plan.tap.pickup')).waitFor();
  await page.goto('/trips');
  await page.getByText(t('trips:empty.title')).waitFor();
  await rider.context.setOffline(true);
  await page.getByText(t('trips:filter.completed'), { exact: true }).click();
  await page.getByRole('alert').filter({ hasText: t('trips:failed') }).waitFor();
  await rider.context.setOffline(false);
  await page.getByText(t('trips:empty.filtered')).waitFor(); // by itself
});
