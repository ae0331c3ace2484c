import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** How the browser draws: maps need it, and some devices cannot. */
export type Graphics = 'drawn by the processor' | 'none';

const graphicsFlags: Record<Graphics, readonly string[]> = {
  'drawn by the processor': ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  none: ['--disable-gpu', '--disable-3d-apis'],
};

/** Starts the machine's own Chromium. It makes no requests of its own. */
export function startBrowser(graphics: Graphics = 'drawn by the processor'): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? places.find((p) => existsSync(p));
  if (!executablePath) throw new Error('no Chromium: install the package chromium, or name one in CHROMIUM');
  return chromium.launch({
    executablePath,
    timeout: 90_000,
    args: [
      // The page itself is put together without the graphics library: where that is software, too, it takes a tenth longer.
      '--no-sandbox', '--disable-gpu-compositing', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', ...graphicsFlags[graphics],
    ],
  });
}
