import type { Page } from 'playwright-core';

/** What the page's map shows: its middle in degrees, and its zoom. Null until there is a map. */
export async function viewOf(page: Page): Promise<{ lat: number; lng: number; zoom: number } | null> {
  const text = await page.locator('[data-view]').first().getAttribute('data-view', { timeout: 20_000 }).catch(() => null);
  const [lat = NaN, lng = NaN, zoom = NaN] = (text ?? '').split(',').map(Number);
  return Number.isNaN(zoom) ? null : { lat, lng, zoom };
}

/** Lets each answer of these addresses come later, by up to so many milliseconds, each time otherwise. */
export async function delayAtRandom(page: Page, addresses: RegExp, mostMs: number): Promise<void> {
  // What a service worker has kept would come at once.
  await page.addInitScript(() => { Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'); });
  await page.route(addresses, async (route) => {
    await new Promise((done) => setTimeout(done, Math.random() * mostMs));
    await route.continue().catch(() => undefined); // the page may have gone on
  });
}
