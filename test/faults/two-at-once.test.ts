import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { isHeldBy, until } from './lab/until.ts';

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
  const { outcome } = startAixcl(['backups', 'create'], { env: home.env, inject: [slow] });
  await until(() => isHeldBy(home.vault, 'backups create'));
  expect((await home.run(['vault', 'gc', '--yes', '--wait-lock', '30'])).code).toBe(0);
  expect((await outcome).code).toBe(0);
});

faultTest(
  '15: after kill -9 the next command goes on within a second, and the journal tells of both',
  async () => {
    await using home = await faultHome();
    const tea = { 'tea.gguf': await writeModel(join(home.models, 'tea.gguf'), 'tea') };
    // Large enough to be met while it is copied.
    const large = join(home.scratch, 'large');
    await mkdir(large);
    await writeFile(join(large, 'zeros'), '');
    await truncate(join(large, 'zeros'), 512 << 20);
    const { child, outcome } = startAixcl(['backups', 'create', large], { env: home.env });
    const lock = join(home.vault, 'lock');
    await until(async () => (await readFile(lock, 'utf8')).includes(`pid ${child.pid}`));
    child.kill('SIGSTOP');
    expect((await home.run(['backups', 'create'])).code).toBe(11);
    child.kill('SIGKILL');
    const since = performance.now();
    await home.must(['backups', 'create']);
    // A second, and what Node takes to start on a busy machine.
    expect(performance.now() - since).toBeLessThan(3000);
    expect((await outcome).code).toBe(137);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);

    const [month = ''] = await readdir(join(home.root, 'journal'));
    const lines = (await readFile(join(home.root, 'journal', month), 'utf8')).trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const killed = entries.find(({ event, pid }) => event === 'begin' && pid === child.pid);
    expect(killed).toBeDefined();
    const ends = entries.filter(({ event, operation }) => event === 'end' && operation === killed?.operation);
    expect(ends).toEqual([]);
    expect(entries.at(-1)).toMatchObject({ event: 'end', outcome: 'done' });
  },
);
