import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { contentOf, faultHome, faultTest, isSaved, loopDisk, savedIn, writeModel } from './lab/fault-test.ts';

faultTest(
  '12: a vault that can only be read stops what needs it; a models directory that can only be read is saved',
  async () => {
    using vaultDisk = loopDisk(32 << 20);
    using modelsDisk = loopDisk(32 << 20);
    await using home = await faultHome({
      vault: join(vaultDisk.path, 'vault'),
      models: join(modelsDisk.path, 'models'),
    });
    await writeModel(join(home.models, 'early.gguf'), 'early');
    await home.must(['backups', 'create']);
    await writeModel(join(home.models, 'tea.gguf'), 'tea');
    const tea = (await contentOf(join(home.models, 'tea.gguf')))!;

    vaultDisk.remount('ro');
    for (const args of [
      ['backups', 'create'],
      ['models', 'remove', 'tea.gguf', '--yes'],
      ['vault', 'verify'],
    ]) {
      const { code, stderr } = await home.run(args);
      expect
        .soft({ args, code, stderr })
        .toMatchObject({ code: 3, stderr: expect.stringMatching(/read-only/) });
    }
    expect(await contentOf(join(home.models, 'tea.gguf'))).toEqual(tea);
    await home.must(['backups', 'list']);
    await home.must(['vault', 'status']);
    vaultDisk.remount('rw');

    modelsDisk.remount('ro');
    await home.must(['backups', 'create']);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    const removed = await home.run(['models', 'remove', 'tea.gguf', '--yes']);
    expect(removed).toMatchObject({ code: 3, stderr: expect.stringMatching(/read-only/) });
    expect(await contentOf(join(home.models, 'tea.gguf'))).toEqual(tea);
  },
);

faultTest(
  '13: a file that this user may not read fails that model alone, and is not skipped in silence',
  async () => {
    await using home = await faultHome();
    await writeModel(join(home.models, 'closed.gguf'), 'closed');
    await writeModel(join(home.models, 'tea.gguf'), 'tea');
    const tea = (await contentOf(join(home.models, 'tea.gguf')))!;
    await chmod(join(home.models, 'closed.gguf'), 0);
    const { code, stdout, stderr } = await home.run(['backups', 'create'], { powerless: true });
    expect(code).toBe(5);
    expect(`${stdout}${stderr}`).toMatch(/closed\.gguf/);
    const saved = await savedIn(home.vault);
    expect(saved.map(({ model }) => model)).toEqual(['tea.gguf']);
    expect(isSaved(saved, tea)).toBe(true);
    const removed = await home.run(['models', 'remove', 'closed.gguf', '--yes'], { powerless: true });
    expect(removed.code).not.toBe(0);
    expect(await contentOf(join(home.models, 'closed.gguf'))).toBeDefined();
  },
);
