import { defineConfig } from 'vitest/config';

/** In CI five engines, browsers and models share two cores, and a second try tells a late answer from a wrong one; scripts/test.js names those tests. */
const retry = process.env.CI ? 1 : 0;

/**
 * Unit tests stand beside their code and need nothing; engine tests share one private engine. Faults come after them, and have the machine to
 * themselves.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/unit/**/*.test.ts'],
          // What syncs to the disk takes long on a busy machine.
          testTimeout: 30_000,
          retry,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/{contract,engine,e2e,browser,faults/engine}/**/*.test.ts'],
          globalSetup: 'test/setup/global.ts',
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/{faults,property}/*.test.ts'],
          globalSetup: 'test/faults/lab/setup.ts',
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          retry,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
