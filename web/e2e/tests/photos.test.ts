import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { comeAs, logIn, password } from '../src/account';
import type { Person } from '../src/person';
import { accept, askButton, driverAt, goOnline, pickup, plan } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve');

/** A photograph of 1200 by 800 pixels, left half red and right half blue, as cameras store them. */
async function photograph(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1200, 800);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    for (const [x, colour] of [[0, '#d01818'], [600, '#1818d0']] as const) {
      context.fillStyle = colour;
      context.fillRect(x, 0, 600, 800);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
  });
  return Buffer.from(base64, 'base64');
}

async function choose({ page, t }: Person, name: string, mimeType: string, buffer: Buffer): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: new RegExp(`${t('account:photo.add')}|${t('account:photo.change')}`) }).click();
  await (await chooser).setFiles({ name, mimeType, buffer });
}

/** Draws a picture to the right. */
async function drag(page: Page, picture: Locator, px: number): Promise<void> {
  const box = await picture.boundingBox();
  if (!box) throw new Error('no picture to draw');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  // It follows with the next frame, and not once the button is up.
  await expect.poll(async () => {
    await page.mouse.move(x + px, y, { steps: 4 });
    return picture.getAttribute('style');
  }).toContain(`translate(${px}px`);
  await page.mouse.up();
}

describe('photos', () => {
  it('come with the sign-up, cropped, and are shown to the rider; what is no photo is told apart at the field', async () => {
    const driver = await on.enter(english, driverAt);
    const { page, t } = driver;
    await page.goto('/signup?role=driver');
    await page.getByLabel(t('account:firstName')).fill('Dana');
    const refused = page.getByRole('alert');
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    const jpeg = await photograph(page);
    for (const [name, type, content, text] of [
      ['me.jpg', 'image/jpeg', Buffer.from('I am no picture.'), 'unreadable'],
      ['me.svg', 'image/svg+xml', Buffer.from(svg), 'kind'],
      ['me.jpg', 'image/jpeg', Buffer.concat([jpeg, Buffer.alloc(16 << 20)]), 'large'],
    ] as const) {
      await choose(driver, name, type, content);
      await refused.filter({ hasText: t(`account:photo.${text}`) }).waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);
    }
    await driver.checkAccess('a file that is no photo');

    await choose(driver, 'me.jpg', 'image/jpeg', jpeg);
    const dialog = page.getByRole('dialog', { name: t('account:photo.crop') });
    await dialog.locator('img').waitFor();
    await driver.checkAccess('cropping');
    // Close by, and then to the left: nothing but red.
    await dialog.getByRole('slider').press('End');
    await drag(page, dialog.locator('img'), 250);
    await dialog.getByRole('button', { name: t('account:photo.use') }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await refused.count()).toBe(0);
    await page.getByLabel(t('account:lastName')).fill('Kim');
    await page.getByLabel(t('account:username')).fill('dana');
    await page.getByLabel(t('account:password'), { exact: false }).and(page.locator('input')).first().fill(password);
    await page.getByRole('radio', { name: new RegExp(t('shell:vehicle.standard')) }).click();
    await page.getByLabel(t('account:plate')).fill('HX-9');
    await driver.button(t('account:signUp.send')).click();
    await page.waitForURL('**/drive');
    await goOnline(driver);

    const rider = await on.enter(english, pickup);
    await comeAs(rider, 'rider', 'mina', 'Mina');
    await plan(rider);
    await askButton(rider).click();
    await accept(driver);
    const photo = rider.page.getByRole('region', { name: rider.t('rider:driver.label') }).locator('img');
    await photo.waitFor();
    await expect.poll(() => photo.evaluate((i) => (i as HTMLImageElement).naturalWidth)).toBeGreaterThan(100);
    expect(await colourOf(rider.page, await photo.getAttribute('src') ?? '')).toEqual(['red']);

    await isNobodyElses(await photo.getAttribute('src') ?? '');
    await goesWhenRemoved();
  });

  /** The address is random and says nothing; one that is a little different leads nowhere. */
  async function isNobodyElses(src: string): Promise<void> {
    const url = new URL(src, on.server.url);
    expect(url.pathname).toMatch(/^\/v1\/photos\/[\w-]{16,}(\.\w+)?$/);
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const last = url.pathname.at(-1) === 'a' ? 'b' : 'a';
    expect((await fetch(`${url.href.slice(0, -1)}${last}`)).status).toBe(404);
    expect((await fetch(new URL('/v1/photos/', url))).status).not.toBe(200);
  }

  /** Removing the photo removes it from its address, too. */
  async function goesWhenRemoved(): Promise<void> {
    const again = await on.enter(english);
    await logIn(again, 'dana');
    await again.page.goto('/profile');
    const shown = again.page.getByRole('main').locator('img').first();
    await shown.waitFor();
    const src = await shown.getAttribute('src') ?? '';
    await again.button(again.t('account:photo.remove')).click();
    await again.button(again.t('account:photo.add')).waitFor();
    expect((await fetch(new URL(src, on.server.url))).status).toBe(404);
  }
});

/** The colours of a photo's four corners. */
async function colourOf(page: Page, src: string): Promise<string[]> {
  return page.evaluate(async (address) => {
    const image = await createImageBitmap(await (await fetch(address)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(image, 0, 0);
    const corners = [[4, 4], [image.width - 5, 4], [4, image.height - 5], [image.width - 5, image.height - 5]] as const;
    return [...new Set(corners.map(([x, y]) => {
      const [r = 0, , b = 0] = context.getImageData(x, y, 1, 1).data;
      return r > 150 && b < 90 ? 'red' : b > 150 && r < 90 ? 'blue' : 'other';
    }))];
  }, src);
}
