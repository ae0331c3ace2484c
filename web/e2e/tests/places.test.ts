import { afterAll, describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import { startGeocoder } from '../src/geocoder';
import type { Person, Setting } from '../src/person';
import { askButton, pickup } from '../src/ride';
import { english, stage } from '../src/stage';

const geocoder = await startGeocoder();
afterAll(() => geocoder.close());

const on = stage('serve', `--geocoder-url=${geocoder.url}`);

/** What was last searched for; addresses of points are asked for besides. */
const lastSearch = () => geocoder.asked.findLast((url) => url.pathname === '/api/');

/** The search field of an end of the ride. */
function field({ page, t }: Person, end: 'pickup' | 'dropoff') {
  return page.getByRole('combobox', { name: t(`trips:place.${end}`) });
}

describe('a search for places', () => {
  it('finds them by keyboard, and says when there is none or no answer', async () => {
    const rider = await on.enter(english, pickup);
    const { page, t } = rider;
    await comeAs(rider, 'rider', 'mina', 'Mina');
    const dropoff = field(rider, 'dropoff');
    await dropoff.fill('bryant');
    const options = page.getByRole('option');
    await expect.poll(() => options.count()).toBe(2);
    await rider.checkAccess('found places');
    const asked = lastSearch()?.searchParams;
    expect(Object.fromEntries(asked ?? [])).toMatchObject({ q: 'bryant', lang: 'en', lat: '40.7527', lon: '-73.9772' });

    // Escape closes the list and keeps the text; arrows open it again, go around in it, and Enter takes what is marked.
    await page.keyboard.press('Escape');
    await options.first().waitFor({ state: 'hidden' });
    expect(await dropoff.inputValue()).toBe('bryant');
    await page.keyboard.press('ArrowDown');
    const marked = page.locator('[role=option][data-combobox-selected]');
    await marked.filter({ hasText: 'Bryant Park' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await marked.filter({ hasText: 'Bryant Avenue' }).waitFor();
    expect(await dropoff.getAttribute('aria-activedescendant')).toBe(await marked.getAttribute('id'));
    // The list hides nothing of what the rider has to look at.
    const [list, panel] = await Promise.all([options.first().boundingBox(), dropoff.boundingBox()]);
    expect(list?.y).toBeGreaterThan((panel?.y ?? Infinity) + (panel?.height ?? 0));

    await dropoff.fill('no such place');
    await page.getByText(t('rider:search.nothing')).waitFor();
    rider.tolerated = /status of 500/;
    geocoder.failing = 500;
    await dropoff.fill('columbus');
    await page.getByText(t('rider:search.failed')).waitFor();
    await rider.checkAccess('no answer from the geocoder');
    geocoder.failing = null;
    await dropoff.fill('columbus c');
    // The first is marked by itself.
    await marked.filter({ hasText: 'Columbus Circle' }).waitFor();
    await page.keyboard.press('Enter');
    await askButton(rider).waitFor();
    await rider.button(new RegExp(`^${rider.t('trips:place.dropoff')}: Columbus Circle$`)).waitFor();
  });

  const korean: Setting = { language: 'ko', scheme: 'dark', device: 'phone' };
  it('finds them in Korean on a phone', async () => {
    const rider = await on.enter(korean, { latitude: 37.5663, longitude: 126.9779 });
    await comeAs(rider, 'rider', 'minji', '민지');
    await field(rider, 'dropoff').fill('서울역');
    const option = rider.page.getByRole('option', { name: /서울역/ });
    await option.waitFor();
    expect(await option.textContent()).toContain('한강대로');
    expect(lastSearch()?.searchParams.get('lang')).toBe('default');
    await rider.checkAccess('found places');
    await option.tap();
    await askButton(rider).waitFor();

    // Changing an end begins with the keyboard in its field, and room for what is found; the map is a tap away.
    await rider.button(/^도착지: 서울역$/).tap();
    const again = field(rider, 'dropoff');
    await expect.poll(() => again.evaluate((e) => e === document.activeElement)).toBe(true);
    await expect.poll(async () => (await again.boundingBox())?.y).toBeLessThan(300);
    await rider.button(rider.t('rider:plan.choose')).tap();
    await rider.button(rider.t('rider:plan.choose')).waitFor({ state: 'hidden' });
  });
});
