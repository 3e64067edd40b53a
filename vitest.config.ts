import { defineConfig } from 'vitest/config';

/** Unit tests stand beside their code and need nothing; the other projects share one private engine. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'engine',
          include: ['test/{contract,engine,e2e}/**/*.test.ts'],
          globalSetup: 'test/setup/global.ts',
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
