import { afterAll, describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import type { Person, Setting } from '../src/person';
import { shareOf, type Colour } from '../src/picture';
import { pickup } from '../src/ride';
import { english, stage } from '../src/stage';
import { archiveGround, rasterCredit, rasterGround, startTiles } from '../src/tiles';

// What operators configure: the tests' own service, which is there before the servers are.
const tiles = await startTiles();
afterAll(() => tiles.close());

const plainGround = { light: [245, 243, 238], dark: [16, 24, 27] } as const satisfies Record<string, Colour>;
const credit = '© A credit of the operator';

function ground(p: Person, colour: Colour) {
  return expect.poll(() => shareOf(p.page, p.page.getByRole('main'), colour), { timeout: 60_000, message: `a map of colour ${colour.join()}` });
}

async function policyOf(url: string): Promise<string[]> {
  const policy = (await fetch(url)).headers.get('content-security-policy') ?? '';
  return policy.split('; ').filter((d) => /^(connect|img|script|worker)-src /.test(d));
}

describe('a map with a style of the operator', () => {
  const on = stage('serve', `--map-style-url=${tiles.url}/style.json`, `--map-attribution=${credit}`, '--map-hosts=https://glyphs.example.org');

  it('shows it with its credits, and falls back to the plain map when tiles fail, also half-way', async () => {
    const rider = await on.enter(english, pickup);
    const { page, t } = rider;
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await ground(rider, rasterGround).toBeGreaterThan(0.4);
    for (const text of [rasterCredit, credit]) await page.getByText(text).waitFor();
    expect(await page.getByText(t('map:tilesFailed')).count()).toBe(0);
    await rider.checkAccess('map with tiles');
    expect((await policyOf(on.server.url)).sort()).toEqual([
      `connect-src 'self' ${tiles.url} https://glyphs.example.org`,
      `img-src 'self' data: blob: ${tiles.url} https://glyphs.example.org`,
      "script-src 'self'", "worker-src 'self'",
    ]);

    rider.tolerated = /status of 50[03]/;
    tiles.failing = 503;
    for (let i = 0; i < 4; i++) await rider.button(t('map:controls.zoomOut')).click();
    await page.getByText(t('map:tilesFailed')).waitFor();
    await ground(rider, rasterGround).toBeLessThan(0.01);
    await ground(rider, plainGround.light).toBeGreaterThan(0.2);

    // When they are back they are shown again, here because the device finds a network.
    tiles.failing = null;
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await ground(rider, rasterGround).toBeGreaterThan(0.4);
    await page.getByText(t('map:tilesFailed')).waitFor({ state: 'hidden' });

    tiles.failing = 500;
    await page.reload();
    await page.getByText(t('map:tilesFailed')).waitFor();
    await ground(rider, plainGround.light).toBeGreaterThan(0.2);
    tiles.failing = null;
  });
});

describe('a map with a style that is none', () => {
  const on = stage('serve', `--map-style-url=${tiles.url}/empty.json`);

  it('is the plain map', async () => {
    const rider = await on.enter(english, pickup);
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await rider.page.getByText(rider.t('map:tilesFailed')).waitFor();
    await ground(rider, plainGround.light).toBeGreaterThan(0.2);
  });
});

describe('a map with an archive of tiles', () => {
  const on = stage('serve', `--map-pmtiles-url=${tiles.url}/world.pmtiles`, `--map-attribution=${credit}`);
  const settings: Setting[] = [english, { language: 'ko', scheme: 'dark', device: 'phone' }];

  it.each(settings)('draws it in a style of the app, $scheme', async (setting) => {
    const rider = await on.enter(setting, pickup);
    await comeAs(rider, 'rider', `mina-${setting.language}`, 'Mina');
    await ground(rider, archiveGround[setting.scheme]).toBeGreaterThan(0.2);
    await rider.page.getByText(credit).waitFor();
    await rider.checkAccess('map with an archive');
    expect(await policyOf(on.server.url)).toContain(`connect-src 'self' ${tiles.url}`);
  });
});

describe('a map of the server\'s own streets', () => {
  const on = stage('demo');
  const settings: Setting[] = [english, { language: 'ko', scheme: 'dark', device: 'desktop' }];
  const water = { light: [207, 227, 232], dark: [11, 42, 51] } as const satisfies Record<string, Colour>;
  const highway = { light: [251, 232, 194], dark: [77, 74, 60] } as const satisfies Record<string, Colour>;

  it.each(settings)('shows streets and water with their credit, $scheme', async (setting) => {
    const rider = await on.enter(setting, pickup);
    await comeAs(rider, 'rider', `mina-${setting.language}`, 'Mina');
    await rider.page.locator('[data-tiles=shown]').waitFor({ timeout: 60_000 });
    await ground(rider, highway[setting.scheme]).toBeGreaterThan(0.0002);
    await ground(rider, water[setting.scheme]).toBeGreaterThan(0.01);
    const credit = rider.page.getByRole('link', { name: '© OpenStreetMap contributors' });
    expect(await credit.getAttribute('href')).toBe('https://www.openstreetmap.org/copyright');
    await rider.checkAccess('map with streets');
  });
});
