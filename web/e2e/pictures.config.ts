import { defineConfig } from 'vitest/config';

// Not tests: what the documentation shows, and the figures that it gives.
export default defineConfig({
  test: { include: ['pictures/**/*.ts', 'figures/**/*.ts'], globalSetup: ['src/setup.ts'], fileParallelism: false, testTimeout: 600_000, hookTimeout: 120_000 },
});
