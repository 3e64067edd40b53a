import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { blobFile, manifestFile, type OllamaModel, ollamaModel, seedStore } from '../setup/ollama-model.ts';
import {
  blobOf,
  contentOf,
  type FaultHome,
  faultHome,
  faultTest,
  isSaved,
  ollamaContent,
  savedIn,
} from './lab/fault-test.ts';
import { startOllama } from './lab/ollama.ts';

const manifestOf = (name: string) => `manifests/registry.ollama.ai/library/${name}/latest`;
const live = (home: FaultHome, name: string) => ollamaContent(home.ollama, manifestOf(name));
const modelBlob = ({ blobs }: OllamaModel) => blobs[0]!.digest;

faultTest(
  'a model is removed through Ollama and comes back with every blob and its manifest as they were',
  async () => {
    await using home = await faultHome();
    await seedStore(home.ollama, 'tea');
    await using service = await startOllama(home);
    const before = (await live(home, 'tea'))!;
    await home.must(['models', 'remove', 'tea', '--yes']);
    expect(await live(home, 'tea')).toBeUndefined();
    expect(await service.list()).not.toContain('tea:latest');
    await home.must(['undo', '--yes']);
    expect(await live(home, 'tea')).toEqual(before);
    expect(await service.list()).toContain('tea:latest');
  },
);

faultTest('22: ollama rm during a backup: a consistent before, or an error; never a part', async () => {
  await using home = await faultHome();
  await using service = await startOllama(home);
  const slow = { calls: ['fsync'], effect: 'delay_enter=50000' } as const;
  for (const wait of [150, 350, 600, 900]) {
    await seedStore(home.ollama, 'tea', { noise: 1 << 20 });
    const whole = (await live(home, 'tea'))!;
    const known = (await savedIn(home.vault)).length;
    const [{ code }] = await Promise.all([
      home.run(['backups', 'create', 'tea'], { inject: [slow] }),
      delay(wait).then(() => service.rm('tea')),
    ]);
    const saved = await savedIn(home.vault);
    for (const { id, wrong } of saved) expect({ id, wrong }).toEqual({ id, wrong: [] });
    if (code === 0) expect(isSaved(saved, whole)).toBe(true);
    else expect(saved).toHaveLength(known);
  }
});

faultTest(
  '22: a tag that is replaced during a backup: all of the old, all of the new, or an error',
  async () => {
    await using home = await faultHome();
    const slow = { calls: ['fsync'], effect: 'delay_enter=50000' } as const;
    const versions = await Promise.all(['one', 'two'].map((seed) => ollamaModel({ seed, noise: 1 << 20 })));
    for (const [round, wait] of [150, 350, 600, 900].entries()) {
      const [before, after] = [versions[round % 2]!, versions[(round + 1) % 2]!];
      await seedStore(home.ollama, 'tea', before);
      const contents = [await live(home, 'tea')];
      const [{ code }] = await Promise.all([
        home.run(['backups', 'create', 'tea'], { inject: [slow] }),
        delay(wait).then(() => seedStore(home.ollama, 'tea', after)),
      ]);
      contents.push(await live(home, 'tea'));
      const [newest] = (await savedIn(home.vault)).slice(-1);
      if (code === 0) expect(contents).toContainEqual(newest!.content);
      for (const { id, wrong } of await savedIn(home.vault)) expect({ id, wrong }).toEqual({ id, wrong: [] });
    }
  },
);

faultTest(
  '23: a truncated manifest is flagged everywhere, the others work, and nothing shared is deleted',
  async () => {
    await using home = await faultHome();
    const tea = await seedStore(home.ollama, 'tea');
    await seedStore(home.ollama, 'other', { seed: 'tea', template: 'other' });
    await seedStore(home.ollama, 'third', { seed: 'third' });
    await using _ = await startOllama(home);
    await truncate(manifestFile(home.ollama, 'other'), 100);

    const listed = (await home.must(['models', 'list', '--format', 'json'])).json;
    expect(listed.find(({ name }) => name === 'other:latest')).toMatchObject({ damaged: expect.anything() });
    expect((await home.run(['models', 'verify'])).code).toBe(7);
    const backup = await home.run(['backups', 'create']);
    expect(backup.code).toBe(5);
    expect(`${backup.stdout}${backup.stderr}`).toContain('other');
    const saved = await savedIn(home.vault);
    expect(isSaved(saved, (await live(home, 'tea'))!)).toBe(true);
    expect(isSaved(saved, (await live(home, 'third'))!)).toBe(true);

    const before = await contentOf(join(home.ollama, 'models'));
    const refused = await home.run(['models', 'remove', 'tea', '--yes']);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('other') });
    expect(await contentOf(join(home.ollama, 'models'))).toEqual(before);

    // The unreadable one itself can go, and takes no blob with it.
    await home.must(['models', 'remove', 'other', '--yes']);
    expect(await contentOf(blobFile(home.ollama, modelBlob(tea)))).toBeDefined();
    await home.must(['models', 'remove', 'tea', '--yes']);
  },
);

const spoiled: Record<string, (blob: string) => Promise<void>> = {
  async zeroed(blob) {
    const { size } = await stat(blob);
    await truncate(blob, 0);
    await truncate(blob, size);
  },
  /** Where no look at its header finds it. */
  async 'wrong in one bit'(blob) {
    const bytes = await readFile(blob);
    bytes[bytes.length - 1000]! ^= 1;
    await writeFile(blob, bytes);
  },
};

for (const [what, spoil] of Object.entries(spoiled)) {
  faultTest(
    `24: a blob that is ${what}, and not what its name says, is not backed up as good; the earlier version stays`,
    async () => {
      await using home = await faultHome();
      const tea = await seedStore(home.ollama, 'tea');
      const good = (await live(home, 'tea'))!;
      await home.must(['backups', 'create']);
      const blob = blobFile(home.ollama, modelBlob(tea));
      await spoil(blob);

      const backup = await home.run(['backups', 'create', 'tea']);
      expect(backup.code).not.toBe(0);
      expect(`${backup.stdout}${backup.stderr}`).toContain(modelBlob(tea).slice('sha256:'.length));
      const verified = await home.run(['models', 'verify']);
      expect(verified.code).toBe(7);
      expect(`${verified.stdout}${verified.stderr}`).toMatch(/tea/);
      expect(`${verified.stdout}${verified.stderr}`).toContain(modelBlob(tea).slice('sha256:'.length));
      const saved = await savedIn(home.vault);
      expect(isSaved(saved, good)).toBe(true);

      const bad = (await contentOf(blob))!;
      await home.must(['models', 'verify', '--repair']);
      expect(await live(home, 'tea')).toEqual(good);
      expect(Object.values((await contentOf(join(home.vault, 'quarantine')))!)).toContain(
        Object.values(bad)[0],
      );
    },
  );
}

faultTest(
  '24: removing a damaged model says that it is damaged, and its backup never counts as good',
  async () => {
    await using home = await faultHome();
    const tea = await seedStore(home.ollama, 'tea');
    await using _ = await startOllama(home);
    const blob = blobFile(home.ollama, modelBlob(tea));
    const { length } = await readFile(blob);
    await truncate(blob, 0);
    await truncate(blob, length);
    const { stdout, stderr } = await home.must(['models', 'remove', 'tea', '--yes']);
    expect(`${stdout}${stderr}`).toMatch(/damaged/);
    const [backup] = (await home.must(['backups', 'list', '--format', 'json'])).json;
    expect(backup).toMatchObject({ verified: null, damage: expect.any(String) });
    await home.run(['vault', 'verify']);
    const [later] = (await home.must(['backups', 'list', '--format', 'json'])).json;
    expect(later).toMatchObject({ verified: null, damage: expect.any(String) });
  },
);

faultTest('25: two tags that share a blob: removing one leaves the other whole', async () => {
  await using home = await faultHome();
  const shared = await seedStore(home.ollama, 'tea');
  await seedStore(home.ollama, 'other', { template: 'other' });
  await using service = await startOllama(home);
  const [tea, other] = [await live(home, 'tea'), await live(home, 'other')];
  await home.must(['models', 'remove', 'tea', '--yes']);
  expect(await live(home, 'other')).toEqual(other);
  // What is written into the one that stays is not written into the vault.
  const [standing, kept] = await Promise.all(
    [blobFile(home.ollama, modelBlob(shared)), blobOf(home.vault, modelBlob(shared))].map((path) =>
      stat(path),
    ),
  );
  expect(kept!.ino).not.toBe(standing!.ino);
  expect(await service.list()).toContain('other:latest');
  await home.must(['undo', '--yes']);
  expect(await live(home, 'tea')).toEqual(tea);
  await home.must(['models', 'remove', 'tea', 'other', '--yes']);
  await home.must(['undo', '--yes']);
  expect([await live(home, 'tea'), await live(home, 'other')]).toEqual([tea, other]);
});

faultTest(
  '26: Ollama restarts, and prunes, in the middle of a restore: what was restored stays',
  async () => {
    await using home = await faultHome();
    await seedStore(home.ollama, 'tea', { noise: 1 << 20 });
    const tea = (await live(home, 'tea'))!;
    await using service = await startOllama(home, { prune: true });
    const slow = { calls: ['fsync'], effect: 'delay_enter=40000' } as const;
    for (const wait of [300, 700, 1200]) {
      await home.must(['models', 'remove', 'tea', '--yes']);
      const [undone] = await Promise.all([
        home.run(['undo', '--yes'], { inject: [slow] }),
        delay(wait).then(async () => {
          await service.stop();
          await service.start();
        }),
      ]);
      if (undone.code !== 0) await home.must(['undo', '--yes']);
      expect(await live(home, 'tea')).toEqual(tea);
      await service.stop();
      await service.start();
      expect(await live(home, 'tea')).toEqual(tea);
      expect(await service.list()).toContain('tea:latest');
    }
  },
);

faultTest(
  '37: a digest that leads elsewhere, in a manifest of Ollama or in the index of the vault, leads nowhere',
  async () => {
    await using home = await faultHome();
    const secret = join(home.scratch, 'secret');
    await writeFile(secret, 'secret');
    await seedStore(home.ollama, 'good', { seed: 'good' });
    const { manifest } = await ollamaModel();
    for (const digest of [
      '../../../../secret',
      'sha256:../../../../../secret',
      `sha256-${'../'.repeat(20)}secret`,
    ]) {
      const value = JSON.parse(manifest.toString());
      value.layers[0].digest = digest;
      await seedStore(home.ollama, 'bad');
      await writeFile(manifestFile(home.ollama, 'bad'), JSON.stringify(value));
      const listed = (await home.must(['models', 'list', '--format', 'json'])).json;
      expect(listed.find(({ name }) => name === 'bad:latest')).toMatchObject({ damaged: expect.anything() });
      expect((await home.run(['models', 'show', 'bad'])).code).not.toBe(1);
      expect(await touched(home, secret, ['models', 'verify', 'bad'])).toEqual([]);
      expect((await home.run(['backups', 'create', 'bad'])).code).not.toBe(0);
      expect(await touched(home, secret, ['backups', 'create', 'bad'])).toEqual([]);
    }
    await home.run(['backups', 'create']);
    const index = join(home.vault, 'index.json');
    const text = await readFile(index, 'utf8');
    const value = JSON.parse(text);
    for (const digest of ['../../../secret', 'sha256:../../../../secret']) {
      value.manifests[0].digest = digest;
      await writeFile(index, JSON.stringify(value));
      expect((await home.run(['backups', 'restore', 'b0001', '--yes'])).code).not.toBe(0);
      expect(await touched(home, secret, ['vault', 'verify'])).toEqual([]);
      const { code } = await home.run(['vault', 'gc', '--grace', '0', '--yes']);
      expect(code).toBe(3);
    }
    expect(await readFile(secret, 'utf8')).toBe('secret');
  },
);

/** Calls on the file `path` that a command makes. */
async function touched(home: FaultHome, path: string, args: readonly string[]): Promise<string[]> {
  const log = join(home.scratch, 'touched');
  await home.run(args, { log, watch: path });
  return (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
}
