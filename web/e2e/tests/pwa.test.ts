import { describe, expect, it } from 'vitest';

import { comeAs } from '../src/account';
import { Deployment } from '../src/deployment';
import { Person } from '../src/person';
import { pickup } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve');

interface Manifest {
  name: string;
  start_url: string;
  display: string;
  icons: { src: string; type: string; sizes: string; purpose?: string }[];
}

describe('the installed app', () => {
  it('has a manifest with icons of the sizes that it names', async () => {
    const visitor = await on.enter(english);
    const { page } = visitor;
    await page.goto('/');
    const manifest = await page.evaluate(async () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]');
      return (await fetch(link?.href ?? '')).json() as unknown;
    }) as Manifest;
    expect(manifest).toMatchObject({ name: 'Hexhail', start_url: '/', display: 'standalone' });
    expect(manifest.icons.some((i) => i.purpose === 'maskable')).toBe(true);
    for (const { src, type, sizes } of manifest.icons) {
      const found = await page.evaluate(async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        return { type: (await fetch(address)).headers.get('content-type'), sizes: `${image.naturalWidth}x${image.naturalHeight}` };
      }, src);
      expect(found.type).toBe(type);
      if (sizes !== 'any') expect(found.sizes).toBe(sizes);
    }
  });

  it('opens without a network, and says so', async () => {
    const rider = await on.enter({ language: 'ko', scheme: 'dark', device: 'phone' }, pickup);
    const { page, t } = rider;
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    rider.network.cut();
    rider.tolerated = /ERR_FAILED|Failed to load resource|service worker/i;
    await page.goto('/ride');
    await rider.button(t('connection.now')).waitFor();
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await rider.checkAccess('opened without a network');
    await page.goto('/trips');
    await page.getByText(t('trips:failed')).waitFor();
    await page.goto('/profile');
    await page.getByRole('heading', { name: t('account:profile.title') }).waitFor();

    rider.network.mend();
    await page.goto('/ride');
    await rider.heading(t('rider:plan.tap.dropoff')).waitFor();
    await rider.button(t('connection.now')).waitFor({ state: 'hidden' });
  });

  it('is replaced by the next version, whole, as soon as its person says so', async () => {
    const deployment = await Deployment.of(on.server.port);
    const visitor = await Person.with(on.browser, deployment, english);
    try {
      const { page, t } = visitor;
      const [before, after] = [t('account:landing.title'), 'Rides of the next version'];
      await page.goto('/');
      await visitor.heading(before).waitFor();
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      deployment.upgrade('assets/locale-en-account.js', before, after);
      // Never parts of two versions: the old one goes on until it is left.
      await page.reload();
      await page.getByText(t('update.text')).waitFor();
      await visitor.heading(before).waitFor();
      await visitor.checkAccess('an update');
      await visitor.button(t('update.now')).click();
      await visitor.heading(after).waitFor();
      visitor.network.cut();
      await page.reload();
      await visitor.heading(after).waitFor();
      expect(visitor.faults).toEqual([]);
    } finally {
      await visitor.close();
      await deployment.close();
    }
  });
});
