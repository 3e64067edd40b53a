import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  faultHome,
  faultTest,
  isSaved,
  savedIn,
  startAixcl,
  sweepAll,
  writeModel,
} from './lab/fault-test.ts';

faultTest(
  '14: two backups at once: each ends with 0 or 11, one of them with 0, and no number is used twice',
  async () => {
    await using home = await faultHome();
    const tea = { 'tea.gguf': await writeModel(join(home.models, 'tea.gguf'), 'tea') };
    let busy = 0;
    for (let pair = 0; pair < (sweepAll ? 50 : 12); pair += 1) {
      const runs = await Promise.all([1, 2].map(() => home.run(['backups', 'create'])));
      const codes = runs.map(({ code }) => code);
      expect(codes).toContain(0);
      for (const { code, stderr } of runs) {
        expect([0, 11]).toContain(code);
        if (code === 11) expect(stderr).toMatch(/aixcl .*is at work on the vault/);
      }
      busy += codes.filter((code) => code === 11).length;
    }
    const ids = (await savedIn(home.vault)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    // Or the pairs never met, and nothing was shown.
    expect(busy).toBeGreaterThan(0);
  },
  600_000,
);

faultTest('14: --wait-lock waits for the other', async () => {
  await using home = await faultHome();
  await writeModel(join(home.models, 'tea.gguf'), 'tea');
  const slow = { calls: ['fsync'], effect: 'delay_enter=100000' } as const;
  const [first, second] = await Promise.all([
    home.run(['backups', 'create'], { inject: [slow] }),
    delay(400).then(() => home.run(['backups', 'create', '--wait-lock', '30'])),
  ]);
  expect([first.code, second.code]).toEqual([0, 0]);
});

faultTest(
  '15: after kill -9 the next command goes on within a second, and the journal tells of both',
  async () => {
    await using home = await faultHome();
    const tea = { 'tea.gguf': await writeModel(join(home.models, 'tea.gguf'), 'tea') };
    const slow = { calls: ['fsync'], effect: 'delay_enter=300000' } as const;
    const { child, outcome } = startAixcl(['backups', 'create'], { env: home.env, inject: [slow] });
    await until(async () => (await readFile(join(home.vault, 'lock'), 'utf8')).includes('backups create'));
    const holder = Number(/pid (\d+)/.exec(await readFile(join(home.vault, 'lock'), 'utf8'))?.[1]);
    expect((await home.run(['backups', 'create'])).code).toBe(11);
    process.kill(holder, 'SIGKILL');
    const began = performance.now();
    await home.must(['backups', 'create']);
    // A second, and what Node takes to start on a busy machine.
    expect(performance.now() - began).toBeLessThan(3000);
    await outcome;
    expect(child.exitCode ?? child.signalCode).not.toBe(0);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    expect(await readFile(join(home.vault, 'lock'), 'utf8')).not.toContain(String(holder));
  },
);

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await delay(50);
  }
  throw new Error('it did not come to that in 5 s');
}
