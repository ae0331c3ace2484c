import react from '@vitejs/plugin-react';
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
  // Pages of several folders share a file name: src/ops/Trips.tsx becomes ops-trips.js.
  const page = /\/src\/(\w+)\/(\w+)\.tsx?$/.exec(chunk.facadeModuleId ?? '');
  if (page) return `assets/${[page[1], page[2]].filter((p) => p !== 'index').join('-').toLowerCase()}.js`;
  return 'assets/[name].js';
}

export default defineConfig({
  plugins: [react()],
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
      },
    },
  },
  server: {
    proxy: {
      '/v1': { target: server, ws: true },
      '/openapi.json': server,
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/test/setup.ts'],
    css: false,
  },
});
