import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { afterAll, it } from 'vitest';

import type { Person, Setting } from '../src/person';
import { accept, askButton, offerCard } from '../src/ride';
import { stage } from '../src/stage';
import { anyOf } from '../src/words';

// Slow enough that each state can be looked at.
const on = stage('demo', '--headless', '--speed=12', '--drivers=300');
// And one at the speed of life, in which drivers take their time to answer.
const slow = stage('demo', '--headless', '--speed=1', '--drivers=150');

const folder = new URL('../../../docs/images/', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });

const desk: Setting = { language: 'en', scheme: 'light', device: 'desktop' };
const phone: Setting = { language: 'ko', scheme: 'dark', device: 'phone' };
const night: Setting = { language: 'ko', scheme: 'dark', device: 'desktop' };

// Fewer colours make smaller files; without the program they are as they are.
afterAll(() => {
  spawnSync('pngquant', ['--force', '--ext=.png', '--skip-if-larger', '--quality=80-98', '--', ...readdirSync(folder).map((f) => folder + f)]);
});

async function shoot(p: Person, name: string): Promise<void> {
  await p.page.mouse.move(0, 0);
  // Cameras fly and charts draw themselves; nothing on the page tells when they have come to rest.
  await p.page.waitForTimeout(1200);
  await p.page.screenshot({ path: `${folder}${name}-${p.setting.language}-${p.setting.scheme}.png` });
}

async function visit(p: Person, act: 'riderAct' | 'driverAct' | 'operatorAct'): Promise<void> {
  await p.page.goto('/');
  await p.page.getByRole('region', { name: anyOf(p.t, 'account:demo.title', 'city') })
    .getByRole('button', { name: p.t(`account:demo.${act}`), exact: true }).click();
  await p.page.waitForURL((url) => url.pathname !== '/');
}

it.each([desk, phone])('a rider, $language', async (setting) => {
  const rider = await on.enter(setting);
  const { page, t } = rider;
  await page.goto('/');
  await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') }).waitFor();
  await shoot(rider, 'landing');
  await visit(rider, 'riderAct');
  await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().click();
  await askButton(rider).waitFor();
  await shoot(rider, 'request');
  await askButton(rider).click();
  await page.getByRole('region', { name: t('rider:driver.label') }).waitFor();
  await shoot(rider, 'matched');
  await rider.heading(t('rider:riding.title')).waitFor({ timeout: 240_000 });
  await shoot(rider, 'in-progress');
  await rider.heading(t('rider:completed.title')).waitFor({ timeout: 240_000 });
  await shoot(rider, 'completed');
});

it.each([desk, phone])('a search, $language', async (setting) => {
  const rider = await slow.enter(setting);
  const { page, t } = rider;
  await page.goto('/');
  await visit(rider, 'riderAct');
  await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().click();
  await askButton(rider).click();
  await rider.heading(t('rider:searching.title')).waitFor();
  await shoot(rider, 'search');
  await rider.heading(t('rider:searching.title')).waitFor(); // the picture must not be too late
});

it.each([desk, phone])('a driver, $language', async (setting) => {
  const driver = await on.enter(setting);
  await visit(driver, 'driverAct');
  await driver.button(driver.t('driver:duty.goOnline')).click();
  await offerCard(driver).first().waitFor({ timeout: 120_000 });
  await shoot(driver, 'driver-offer');
  if (!(await offerCard(driver).first().isVisible())) await offerCard(driver).first().waitFor({ timeout: 120_000 });
  await accept(driver);
  await shoot(driver, 'driver-on-the-way');
});

it.each([desk, night])('an operator, $language', async (setting) => {
  const operator = await on.enter(setting);
  const { page } = operator;
  await visit(operator, 'operatorAct');
  await page.waitForURL('**/ops/map');
  await page.waitForTimeout(4000);
  await shoot(operator, 'operations-map');
  for (const name of ['trips', 'people', 'actors'] as const) {
    await page.goto(`/ops/${name}`);
    await page.getByRole('row').nth(2).waitFor();
    await shoot(operator, name === 'trips' ? 'operations-trips' : name);
    if (name !== 'trips') continue;
    await page.locator('a[href^="/ops/trips/"]').first().click();
    await page.waitForURL('**/ops/trips/*');
    await page.locator('[data-tiles=shown]').waitFor();
    await shoot(operator, 'trip-explain');
  }
});
