import react from '@vitejs/plugin-react';
import { defaultClientConditions, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig } from 'vitest/config';

// The dev server's pages talk to a Hexhail that runs beside it.
const server = process.env.HEXHAIL_URL ?? 'http://127.0.0.1:8080';

/**
 * Names a chunk after what it holds. Names carry no hash: the built files are committed, and a
 * name that stays makes their history readable. The server's ETags tell browsers what changed.
 */
function chunkName(chunk: { name: string; facadeModuleId?: string | null }): string {
  const locale = /\/locales\/(\w+)\/(\w+)\.json$/.exec(chunk.facadeModuleId ?? '');
  if (locale) return `assets/locale-${locale[1]}-${locale[2]}.js`;
  // Pages of several folders share a file name: src/features/ops/Trips.tsx becomes ops-trips.js.
  const page = /\/src\/(?:features|lib)\/(\w+)\/(\w+)\.tsx?$/.exec(chunk.facadeModuleId ?? '');
  if (page) return `assets/${[page[1], page[2]].filter((p) => p !== 'index').join('-').toLowerCase()}.js`;
  return 'assets/[name].js';
}

const pwa = VitePWA({
  registerType: 'prompt',
  injectRegister: false, // src/routes/useUpdates.tsx does
  includeManifestIcons: false, // they are in public/ already
  manifest: {
    name: 'Hexhail',
    short_name: 'Hexhail',
    description: 'Rides, matched in real time.',
    start_url: '/',
    display: 'standalone',
    background_color: '#0d7f79',
    theme_color: '#0d7f79',
    icons: [
      { src: '/logo.svg', type: 'image/svg+xml', sizes: 'any' },
      { src: '/icon-192.png', type: 'image/png', sizes: '192x192' },
      { src: '/icon-512.png', type: 'image/png', sizes: '512x512' },
      { src: '/icon-maskable-512.png', type: 'image/png', sizes: '512x512', purpose: 'maskable' },
    ],
  },
  workbox: {
    // One version of the app, whole: names have no hashes, so parts of two must never meet.
    globPatterns: ['**/*.{js,css,html,svg,webmanifest}', 'icon-192.png'],
    // The plugin takes assets for named by their contents, and would never fetch a changed one again.
    dontCacheBustURLsMatching: /(?!)/,
    maximumFileSizeToCacheInBytes: 4 << 20,
    inlineWorkboxRuntime: true,
    cleanupOutdatedCaches: true,
    // The server has the page at / alone.
    manifestTransforms: [
      (entries) => ({ manifest: entries.map((e) => (e.url === 'index.html' ? { ...e, url: '/' } : e)), warnings: [] }),
    ],
    navigateFallback: '/',
    // Nothing of the API is ever kept.
    navigateFallbackDenylist: [/^\/v1\b/, /^\/openapi\./, /^\/healthz$/],
  },
});

/**
 * Keeps the stylesheet from holding up what index.html shows at first: browsers paint nothing before one of the head is
 * there, unless it is for no medium. src/routes/styles.ts switches it on, before anything else is drawn.
 */
const stylesLater: Plugin = {
  name: 'styles-later',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replaceAll('<link rel="stylesheet"', '<link rel="stylesheet" media="not all" fetchpriority="high"'),
  },
};

export default defineConfig({
  plugins: [react(), stylesLater, pwa],
  // The client library comes from its sources, so that it needs no build of its own first.
  resolve: { conditions: ['hexhail-source', ...defaultClientConditions] },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's Content-Security-Policy has no data: scripts, and inlined files have no ETag.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/app.js',
        chunkFileNames: chunkName,
        assetFileNames: 'assets/[name][extname]',
        // All of what every page begins with in one file: as chunks that pages share it would be forty small ones.
        codeSplitting: { groups: [{ name: 'shell', tags: ['$initial'] }] },
      },
    },
  },
  worker: {
    format: 'es',
    rolldownOptions: { output: { entryFileNames: 'assets/[name].js' } },
  },
  server: {
    fs: { allow: ['../..'] }, // the server's list of common passwords is read from its sources
    proxy: {
      '/v1': { target: server, ws: true },
      '/openapi.json': server,
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/test/setup.ts'],
    css: false,
    testTimeout: 60_000, // nets for a test that hangs, no measure of speed
    hookTimeout: 60_000,
  },
});
