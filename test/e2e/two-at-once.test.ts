import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { aixcl, describeEngine, engineTest, spawnAixcl } from '../setup/engine-test.ts';
import { containers } from './llama-stack.ts';
import { type SmallStack, sleeper, smallStack } from './small-stack.ts';

const rounds = 6;

function both(stack: SmallStack, ...more: string[]) {
  const run = () => spawnAixcl([...stack.args, 'stack', 'start', ...more], { home: stack }).outcome;
  return Promise.all([run(), run()]);
}

describeEngine('two starts at once', () => {
  engineTest('each end with 0 or 11, at least one with 0, and the stack is up', async () => {
    await using stack = await smallStack({});
    for (let round = 0; round < rounds; round += 1) {
      await stack.define({ one: sleeper({ environment: { ROUND: String(round) } }), two: sleeper() });
      const codes = (await both(stack)).map(({ code }) => code).sort((a, b) => a - b);
      expect([
        [0, 0],
        [0, 11],
      ]).toContainEqual(codes);
      expect(await containers()).toEqual(['small-one-1 running', 'small-two-1 running']);
    }
  });

  engineTest('with --wait-lock both end with 0', async () => {
    await using stack = await smallStack({ one: sleeper(), two: sleeper() });
    const outcomes = await both(stack, '--wait-lock', '30');
    expect(
      outcomes.map(({ code }) => code),
      outcomes.map(({ stderr }) => stderr).join(''),
    ).toEqual([0, 0]);
  });

  engineTest('who comes second is told who is at work; a killed one holds nothing', async () => {
    const slow = { healthcheck: { test: ['CMD', 'false'], interval: '60s' } };
    await using stack = await smallStack({
      one: sleeper(slow),
      two: sleeper({ init: false, stop_signal: 'SIGUSR1', stop_grace_period: '8s' }),
    });
    await aixcl([...stack.args, 'stack', 'start', '--no-wait'], { home: stack });
    const first = spawnAixcl([...stack.args, 'stack', 'stop'], { home: stack });
    // The claim is a name in the kernel's table of sockets.
    const claimed = `@aixcl-${createHash('sha256').update(`stack ${stack.root}`).digest('hex')}`;
    await expect.poll(() => readFile('/proc/net/unix', 'utf8'), { timeout: 5000 }).toContain(claimed);
    const second = await aixcl([...stack.args, 'stack', 'restart', '--no-wait'], { home: stack });
    expect(second.code).toBe(11);
    expect(second.stderr).toMatch(/aixcl stack stop \(pid \d+\) is at work on the stack/);
    first.child.kill('SIGKILL');
    await first.outcome;
    expect((await aixcl([...stack.args, 'stack', 'start', '--no-wait'], { home: stack })).code).toBe(0);
  });
});
