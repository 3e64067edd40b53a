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
        // Not where modes, owners and times are set.
        at: ({ call }) => sweepAll || !/chmod|chown|utimens/.test(call),
        inject: ({ call, nth }) => ({ calls: [call], effect: 'signal=SIGKILL', when: nth }),
        codes: [137],
      });
    },
    1_800_000,
  );
});
