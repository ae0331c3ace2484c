import type { Locator, Page } from 'playwright-core';

export type Colour = readonly [red: number, green: number, blue: number];

/** How many colours a part of a page shows. A dead map has one. */
export async function coloursOf(page: Page, where: Locator): Promise<number> {
  return page.evaluate(async (png) => {
    const pixels = await window.pixelsOf(png);
    return new Set(new Uint32Array(pixels.buffer)).size;
  }, await shot(page, where));
}

/** What share of a part of a page has a colour, more or less, from 0 to 1. */
export async function shareOf(page: Page, where: Locator, colour: Colour): Promise<number> {
  return page.evaluate(async ([png, colour]) => {
    const pixels = await window.pixelsOf(png);
    let hits = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      if (colour.every((value, k) => Math.abs((pixels[i + k] ?? 0) - value) <= 4)) hits++;
    }
    return hits / (pixels.length / 4);
  }, [await shot(page, where), colour] as const);
}

declare global {
  interface Window {
    pixelsOf(png: string): Promise<Uint8ClampedArray<ArrayBuffer>>;
  }
}

/** Pictures are read by the browser that made them, outside of the page's policy. */
async function shot(page: Page, where: Locator): Promise<string> {
  await page.evaluate(() => {
    window.pixelsOf = async (png) => {
      const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      if (!context) throw new Error('no canvas');
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height).data;
    };
  });
  return (await where.screenshot()).toString('base64');
}
