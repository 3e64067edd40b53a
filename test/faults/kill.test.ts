import { describe } from 'vitest';
import { faultHome, faultTest, sweepAll } from './lab/fault-test.ts';
import { scenarios } from './lab/scenarios.ts';
import { sweep } from './lab/sweep.ts';

describe.each(Object.entries(scenarios))('%s', (_, make) => {
  faultTest(
    '1: killed at any step it leaves the old state or the new, and the same command again ends in the new',
    async () => {
      await using home = await faultHome();
      await sweep(await make(home), {
        count: 1,
        inject: ({ call, nth }) => ({ calls: [call], effect: 'signal=SIGKILL', when: nth }),
        codes: [137],
      });
    },
    1_800_000,
  );

  faultTest(
    '2: Ctrl-C or SIGTERM at any step: likewise, with 130 or 143, or done',
    async () => {
      await using home = await faultHome();
      const scenario = await make(home);
      for (const [signal, code] of [
        ['SIGINT', 130],
        ['SIGTERM', 143],
      ] as const) {
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
