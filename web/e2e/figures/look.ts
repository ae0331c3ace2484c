import { it } from 'vitest';

import type { Person, Setting } from '../src/person';
import { accept, askButton, offerCard } from '../src/ride';
import { stage } from '../src/stage';
import { anyOf } from '../src/words';

const on = stage('demo', '--headless', '--speed=12', '--drivers=300');
const out = '/tmp/hx/looks/';

async function shoot(p: Person, name: string): Promise<void> {
  await p.page.mouse.move(0, 0);
  await p.page.waitForTimeout(1500);
  const wide = await p.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  process.stdout.write(`${name} ${p.setting.language} ${p.setting.scheme}: ${wide} px too wide\n`);
  await p.page.screenshot({ path: `${out}${name}-${p.setting.language}-${p.setting.scheme}.png` });
}

async function visit(p: Person, act: 'riderAct' | 'driverAct' | 'operatorAct'): Promise<void> {
  await p.page.goto('/');
  await p.page.getByRole('region', { name: anyOf(p.t, 'account:demo.title', 'city') })
    .getByRole('button', { name: p.t(`account:demo.${act}`), exact: true }).click();
  await p.page.waitForURL((url) => url.pathname !== '/');
}

const settings: Setting[] = [{ language: 'en', scheme: 'light', device: 'phone' }, { language: 'ko', scheme: 'dark', device: 'phone' }];

it.each(settings)('rider 320, $language', async (setting) => {
  const rider = await on.enter(setting);
  const { page, t } = rider;
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto('/');
  await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') }).waitFor();
  await shoot(rider, 'landing');
  await visit(rider, 'riderAct');
  await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().waitFor();
  await shoot(rider, 'suggest');
  await page.getByRole('region', { name: anyOf(t, 'rider:suggest.demo', 'city') }).getByRole('button').first().click();
  await askButton(rider).waitFor();
  await shoot(rider, 'plan');
  await askButton(rider).click();
  await page.getByRole('region', { name: t('rider:driver.label') }).waitFor();
  await shoot(rider, 'matched');
  await rider.heading(t('rider:completed.title')).waitFor({ timeout: 240_000 });
  await shoot(rider, 'completed');
});

it.each(settings)('driver 320, $language', async (setting) => {
  const driver = await on.enter(setting);
  await driver.page.setViewportSize({ width: 320, height: 640 });
  await visit(driver, 'driverAct');
  await driver.button(driver.t('driver:duty.goOnline')).click();
  await offerCard(driver).first().waitFor({ timeout: 120_000 });
  await shoot(driver, 'offer');
  if (!(await offerCard(driver).first().isVisible())) await offerCard(driver).first().waitFor({ timeout: 120_000 });
  await accept(driver);
  await shoot(driver, 'on-the-way');
});

it.each([...settings, { language: 'en', scheme: 'light', device: 'desktop' } as Setting])('console, $language $device', async (setting) => {
  const op = await on.enter(setting);
  await visit(op, 'operatorAct');
  await op.page.waitForTimeout(4000);
  await shoot(op, `ops-${setting.device}`);
  await op.page.goto('/ops/trips');
  await op.page.waitForTimeout(3000);
  await shoot(op, `ops-trips-${setting.device}`);
  const first = op.page.locator('a[href*="/ops/trips/"]').first();
  if (await first.count()) {
    await first.click();
    await op.page.waitForTimeout(3000);
    await op.page.screenshot({ path: `${out}ops-trip-${setting.device}-${setting.language}-${setting.scheme}.png`, fullPage: true });
  }
});
