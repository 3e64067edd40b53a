import { describe } from 'vitest';
import { faultHome, faultTest, sweepAll } from './lab/fault-test.ts';
import { scenarios } from './lab/scenarios.ts';
import { sweep } from './lab/sweep.ts';

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

describe.each(Object.entries(scenarios))('%s', (_, make) => {
  faultTest(
    '2: Ctrl-C or SIGTERM at any step leaves the old state or the new, with 130 or 143, or 0 when it was done',
    async () => {
      await using home = await faultHome();
      const scenario = await make(home);
      for (const [signal, code] of signals) {
        await sweep(scenario, {
          count: 1,
          at: ({ call }) => sweepAll || /^(pwrite64|fsync|rename|unlink)$/.test(call),
          inject: ({ call, nth }) => ({ calls: [call], effect: `signal=${signal}`, when: nth }),
          codes: [code],
        });
      }
    },
    1_800_000,
  );
});
