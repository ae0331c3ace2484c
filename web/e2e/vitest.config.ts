import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The client library comes from its sources, so that it needs no build of its own first.
  ssr: { resolve: { conditions: ['hexhail-source'] } },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['src/setup.ts'],
    // One browser at a time: each test brings several pages, and a map is drawn by the processor here.
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 120_000,
    // Only a test that fails waits this long; a second, which is Vitest's own choice, is too short for a busy machine.
    expect: { poll: { timeout: 60_000 } },
  },
});
