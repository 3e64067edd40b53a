import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { seedStore } from '../setup/ollama-model.ts';
import { contentOf, faultHome, faultTest, isSaved, savedIn, writeModel } from './lab/fault-test.ts';

faultTest(
  '18: a store that came back empty is an error, not a backup of nothing; retention deletes nothing',
  async () => {
    await using home = await faultHome();
    await seedStore(home.ollama, 'tea');
    await home.must(['backups', 'create']);
    const before = await savedIn(home.vault);
    expect(before).toHaveLength(1);
    await rm(home.ollama, { recursive: true });
    await mkdir(join(home.ollama, 'models'), { recursive: true });
    const { code, stderr } = await home.run(['backups', 'create']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/empty|no model/);
    const later = { clock: '+400d' };
    const cleanup = await home.run(
      ['backups', 'cleanup', '--retention-days', '30', '--execute', '--yes'],
      later,
    );
    expect(cleanup.code).not.toBe(1);
    expect((await savedIn(home.vault)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  },
);

faultTest('20: files that are taken away under a running backup: it is of all of them, or none', async () => {
  await using home = await faultHome();
  const folder = join(home.models, 'big');
  const slow = { calls: ['fsync'], effect: 'delay_enter=60000' } as const;
  const ends = new Set<string>();
  for (const wait of [100, 250, 400, 600, 900, 1300]) {
    await rm(home.vault, { recursive: true, force: true });
    await writeModel(join(folder, 'model.gguf'), 'model', 1 << 20);
    await writeModel(join(folder, 'mmproj-model.gguf'), 'projector', 1 << 20);
    const whole = (await contentOf(folder))!;
    const [{ code }] = await Promise.all([
      home.run(['backups', 'create', 'big'], { inject: [slow] }),
      delay(wait).then(() => rm(folder, { recursive: true })),
    ]);
    const saved = await savedIn(home.vault);
    for (const each of saved) expect(each.wrong).toEqual([]);
    expect({ code, saved: isSaved(saved, whole) }).toEqual({ code, saved: code === 0 });
    if (code !== 0) expect(saved).toEqual([]);
    ends.add(code === 0 ? 'saved' : 'failed');
  }
  expect([...ends]).toContain('failed');
});
