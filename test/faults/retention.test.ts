import { chmod, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  blobOf,
  contentOf,
  type FaultHome,
  faultHome,
  faultTest,
  isSaved,
  loopDisk,
  rot,
  savedIn,
  startAixcl,
  writeModel,
} from './lab/fault-test.ts';
import { isHeldBy, until } from './lab/until.ts';

const cleanup = ['backups', 'cleanup', '--retention-days', '30', '--execute', '--yes'];

async function write(home: FaultHome, seed: string): Promise<Record<string, string>> {
  const file = join(home.models, 'tea.gguf');
  await rm(file, { force: true });
  return { 'tea.gguf': await writeModel(file, seed) };
}

const idsIn = async (home: FaultHome) => (await savedIn(home.vault)).map(({ id }) => id);

faultTest('38: a clock that was set back: nothing goes', async () => {
  await using home = await faultHome();
  await write(home, 'one');
  for (let times = 0; times < 3; times += 1) await home.must(['backups', 'create']);
  for (const clock of ['-1y', '-40d', '-2h']) {
    const { code, stderr } = await home.run(cleanup, { clock });
    expect({ clock, code, stderr }).toMatchObject({ clock, code: 3, stderr: expect.stringMatching(/clock/) });
    expect(await idsIn(home)).toEqual(['b0001', 'b0002', 'b0003']);
  }
});

faultTest(
  '38: a clock that was ahead once left records of the future: nothing goes while they are',
  async () => {
    await using home = await faultHome();
    await write(home, 'one');
    await home.must(['backups', 'create'], { clock: '-90d' });
    await home.must(['backups', 'create'], { clock: '-80d' });
    await home.must(['backups', 'create'], { clock: '+2y' });
    const { code } = await home.run(cleanup);
    expect(code).toBe(3);
    expect((await home.run(['backups', 'delete', 'b0001', '--confirm', 'tea.gguf'])).code).toBe(3);
    expect((await home.run(['vault', 'gc', '--grace', '0', '--yes'])).code).toBe(3);
    expect(await idsIn(home)).toEqual(['b0001', 'b0002', 'b0003']);
  },
);

faultTest('38: a journal that was written in the future is a sign too: nothing goes', async () => {
  await using home = await faultHome();
  await write(home, 'one');
  await home.must(['backups', 'create'], { clock: '-90d' });
  await home.must(['backups', 'create'], { clock: '-80d' });
  await home.must(['vault', 'verify'], { clock: '+2y' });
  const { code, stderr } = await home.run(cleanup);
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(/journal/) });
  expect(await idsIn(home)).toEqual(['b0001', 'b0002']);
});

faultTest('38, 39: years later, by the clock: what is the last copy of its bytes stays', async () => {
  await using home = await faultHome();
  const one = await write(home, 'one');
  await home.must(['backups', 'create']);
  await home.must(['models', 'remove', 'tea.gguf', '--yes']);
  await home.must(cleanup, { clock: '+5y' });
  expect(isSaved(await savedIn(home.vault), one)).toBe(true);
});

faultTest('39: gc takes what nothing names, once it is old, and nothing else', async () => {
  await using home = await faultHome();
  const one = await write(home, 'one');
  await home.must(['backups', 'create']);
  const stray = join(home.vault, 'blobs', 'sha256', '1'.repeat(64));
  await writeFile(stray, 'left behind');
  await home.must(['vault', 'gc', '--yes']);
  expect(await contentOf(stray)).toBeDefined();
  await home.must(['vault', 'gc', '--grace', '0', '--dry-run']);
  expect((await home.run(['vault', 'gc', '--grace', '0'])).code).toBe(3);
  expect(await contentOf(stray)).toBeDefined();
  await home.must(['vault', 'gc', '--grace', '0', '--yes']);
  expect(await contentOf(stray)).toBeUndefined();
  expect(isSaved(await savedIn(home.vault), one)).toBe(true);
});

const unreadable: Record<string, (home: FaultHome, manifest: string) => Promise<void>> = {
  'a manifest that is damaged': async (_, manifest) => {
    await chmod(manifest, 0o644);
    await truncate(manifest, 10);
  },
  'a manifest that is missing': (_, manifest) => rm(manifest),
  'a file that is missing': async ({ vault }) => {
    const { files } = await firstSnapshot(vault);
    await rm(blobOf(vault, files[0]!));
  },
  'an index that is cut off': ({ vault }) => truncate(join(vault, 'index.json'), 200),
  'an index that is empty': ({ vault }) => truncate(join(vault, 'index.json'), 0),
  'an index that is missing': ({ vault }) => rm(join(vault, 'index.json')),
  'a record of something else': async ({ vault }) => {
    const text = await readFile(join(vault, 'index.json'), 'utf8');
    await writeFile(
      join(vault, 'index.json'),
      text.replace('"io.aixcl.id": "b0001"', '"io.aixcl.id": "c0001"'),
    );
  },
};

for (const [what, spoil] of Object.entries(unreadable)) {
  faultTest(`39: with ${what}, nothing is deleted from the vault`, async () => {
    await using home = await faultHome();
    await write(home, 'one');
    await home.must(['backups', 'create']);
    await write(home, 'two');
    await home.must(['backups', 'create']);
    await home.must(['backups', 'create']);
    await writeFile(join(home.vault, 'blobs', 'sha256', '1'.repeat(64)), 'left behind');
    await spoil(home, await firstManifest(home.vault));
    const before = await contentOf(join(home.vault, 'blobs'));
    const gc = await home.run(['vault', 'gc', '--grace', '0', '--yes']);
    expect.soft({ code: gc.code === 3 || gc.code === 7, stderr: gc.stderr }).toMatchObject({ code: true });
    if (what !== 'a file that is missing') {
      // Whose file is missing may be deleted: that is how one is rid of it.
      const deleted = await home.run(['backups', 'delete', 'b0002', '--confirm', 'tea.gguf']);
      expect.soft([3, 4, 7]).toContain(deleted.code);
      await home.run(cleanup, { clock: '+400d' });
    }
    expect(await contentOf(join(home.vault, 'blobs'))).toEqual(before);
  });
}

faultTest('39: gc beside a backup waits its turn', async () => {
  await using home = await faultHome();
  const one = await write(home, 'one');
  const slow = { calls: ['fsync'], effect: 'delay_enter=60000' } as const;
  const { outcome } = startAixcl(['backups', 'create'], { env: home.env, inject: [slow] });
  await until(() => isHeldBy(home.vault, 'backups create'));
  const codes = new Set<number>();
  let done = false;
  void outcome.then(() => {
    done = true;
  });
  while (!done) codes.add((await home.run(['vault', 'gc', '--grace', '0', '--yes'])).code);
  expect((await outcome).code).toBe(0);
  expect(codes).toContain(11);
  for (const code of codes) expect([0, 11]).toContain(code);
  expect(isSaved(await savedIn(home.vault), one)).toBe(true);
});

faultTest(
  '41: an older version is not deleted for the sake of a newer one that has rotted since it was verified',
  async () => {
    using disk = loopDisk(32 << 20);
    await using home = await faultHome({ vault: join(disk.path, 'vault') });
    const one = await write(home, 'one');
    await home.must(['backups', 'create'], { clock: '-90d' });
    const two = await write(home, 'two');
    const bytes = await readFile(join(home.models, 'tea.gguf'));
    await home.must(['backups', 'create'], { clock: '-80d' });
    await home.must(['backups', 'verify'], { clock: '-79d' });
    // Else the models directory would look lost.
    await writeModel(join(home.models, 'other.gguf'), 'other');
    await rename(join(home.models, 'tea.gguf'), join(home.scratch, 'gone'));
    disk.unmount();
    await rot(disk.image, bytes.subarray(-4000, -3700));
    disk.mount();
    await home.run(cleanup);
    const saved = await savedIn(home.vault);
    expect([isSaved(saved, one), isSaved(saved, two)]).toEqual([true, false]);
  },
);

async function firstSnapshot(vault: string): Promise<{ manifest: string; files: string[] }> {
  const { manifests } = JSON.parse(await readFile(join(vault, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const manifest = blobOf(vault, manifests[0]!.digest);
  const { layers } = JSON.parse(await readFile(manifest, 'utf8')) as { layers: { digest: string }[] };
  return { manifest, files: layers.map(({ digest }) => digest) };
}

async function firstManifest(vault: string): Promise<string> {
  return (await firstSnapshot(vault)).manifest;
}
