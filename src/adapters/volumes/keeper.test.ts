import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  readdir,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takenAway } from '../../models/plan-restore.ts';
import type { VolumeSummary } from '../../stack/engine.ts';
import { TestEngine } from '../../stack/test-engine.ts';
import { container, stack } from '../../stack/test-stack.ts';
import { coveredBy } from '../../vault/cover.ts';
import { save } from '../../vault/save.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Subject } from '../../vault/subject.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { partLinks } from '../swap/part-links.ts';
import { Receipts } from '../vault/receipts.ts';
import { TestVault } from '../vault/test-vault.ts';
import { VolumeKeeper } from './keeper.ts';
import { makeVolume } from './make-volume.ts';
import { fillVolume, large, portrait } from './test-volume.ts';

/** A volume that is a name for a folder, as in a default install. */
const { signal } = new AbortController();
const subject: Subject = { runtime: 'volume', name: 'ollama' };
const blob = `models/blobs/sha256-${'a'.repeat(64)}`;
let place: TestVault;
let folder: string;
let engine: TestEngine;
let keeper: VolumeKeeper;

beforeEach(async () => {
  place = await TestVault.make();
  folder = join(place.root, 'ollama');
  await mkdir(folder);
  await fillVolume(folder);
  engine = new TestEngine({ volumes: [named('ollama', folder)] });
  keeper = keeperWith(engine);
});
afterEach(() => place[Symbol.asyncDispose]());

function named(name: string, device: string): VolumeSummary {
  const options = { type: 'none', o: 'bind', device };
  return { name, driver: 'local', options, labels: { some: 'label' }, mountpoint: '/none' };
}

function keeperWith(world: TestEngine): VolumeKeeper {
  return new VolumeKeeper({
    engine: async () => world,
    home: place.root,
    images: async () => [],
    receipts: async () => new Receipts(join(place.path, 'receipts')),
    isStore: async () => false,
    make: (name, { volume }) =>
      makeVolume(
        {
          engine: world,
          definition: stack([]),
          home: place.root,
          makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
        },
        name,
        subject,
        volume,
      ),
    signal,
  });
}

async function saved(writer: VaultWriter, operation = 'test-1'): Promise<VerifiedBackup> {
  const kept = (await keeper.look('ollama'))!;
  await using source = await keeper.open(kept);
  return await save(source, {
    writer,
    backupType: 'pre_deletion',
    reason: 'a test',
    operation,
    created: new Date(Date.now() - 1000),
    way: ({ size }) => (size > 1_000_000 ? 'link' : 'copy'),
    facts: takenAway,
    signal,
  });
}

async function savedAndGone(): Promise<Snapshot> {
  await using writer = await place.open();
  const kept = (await keeper.look('ollama'))!;
  const proof = await saved(writer);
  await keeper.remove(kept, proof);
  return proof.snapshot;
}

async function restored(snapshot: Snapshot, target = subject): Promise<void> {
  await using writer = await place.open();
  const wish = { vault: place.vault, writer, operation: 'test-2', standing: 'nothing', signal } as const;
  await keeper.restore(snapshot, { ...wish, target });
}

test('what was saved and went comes back bit for bit: bytes, owners, modes, times, links, empty folders', async () => {
  const before = portrait(folder);
  const { ino } = await stat(join(folder, blob));
  const snapshot = await savedAndGone();
  expect(await readdir(folder)).toEqual([]);
  expect(engine.did).toEqual(['remove volume ollama']);
  const kept = snapshot.files.find(({ path }) => path === blob)!;
  expect((await stat(place.vault.blobPath(kept.digest))).ino).toBe(ino);
  engine = new TestEngine({ volumes: [named('ollama', folder)] });
  keeper = keeperWith(engine);
  await restored(snapshot);
  expect(portrait(folder)).toBe(before);
  expect(await keeper.compare(subject, snapshot, { signal })).toEqual({ kind: 'same' });
});

test("Ollama's key stays in the folder, is in no backup, and is in no restore's way", async () => {
  await writeFile(join(folder, 'id_ed25519'), 'secret');
  const snapshot = await savedAndGone();
  expect(snapshot.files.map(({ path }) => path)).not.toContain('id_ed25519');
  expect(await readdir(folder)).toEqual(['id_ed25519']);
  engine = new TestEngine({ volumes: [named('ollama', folder)] });
  keeper = keeperWith(engine);
  expect(await keeper.compare(subject, snapshot, { signal })).toEqual({ kind: 'nothing' });
  await restored(snapshot);
  expect((await readdir(folder)).length).toBeGreaterThan(1);
});

test.each([
  ['a file that was written to', () => appendFile(join(folder, 'state.db'), 'more')],
  ['a file that came', () => writeFile(join(folder, 'empty/new'), 'new')],
  ['a folder that came', () => mkdir(join(folder, 'empty/deep/er'))],
  ['a file that went', () => unlink(join(folder, 'two\nlines'))],
  [
    'a link that leads elsewhere',
    async () => {
      await unlink(join(folder, 'absolute'));
      await symlink('/etc/shadow', join(folder, 'absolute'));
    },
  ],
])('%s after it was saved: everything stays', async (_, change) => {
  await using writer = await place.open();
  const kept = (await keeper.look('ollama'))!;
  const proof = await saved(writer);
  await change();
  const before = portrait(folder);
  await expect(keeper.remove(kept, proof)).rejects.toMatchObject({ code: 'refused' });
  expect(portrait(folder)).toBe(before);
  expect(engine.did).toEqual([]);
});

test('without the vault’s blobs as they were, nothing goes', async () => {
  await using writer = await place.open();
  const kept = (await keeper.look('ollama'))!;
  const proof = await saved(writer);
  const { digest } = proof.snapshot.files.find(({ path }) => path === 'state.db')!;
  await rm(place.vault.blobPath(digest));
  const before = portrait(folder);
  await expect(keeper.remove(kept, proof)).rejects.toMatchObject({ code: 'verification' });
  expect(portrait(folder)).toBe(before);
});

test('files that stay after all get back whose they were, once they are parted from the vault', async () => {
  const before = portrait(folder);
  {
    await using writer = await place.open();
    const kept = (await keeper.look('ollama'))!;
    await keeper.noteGoing(kept);
    await writeFile(join(place.root, 'going', '.tmp-1'), 'half');
    await saved(writer);
    expect((await lstat(join(folder, blob))).mode & 0o777).toBe(0o444);
    await partLinks([folder], writer, { signal, step: async () => {}, warn: () => {} });
  }
  await keeper.settleGoing();
  expect(portrait(folder)).toBe(before);
  expect((await lstat(join(folder, blob))).nlink).toBe(1);
  await expect(lstat(join(place.root, 'going'))).rejects.toThrow('ENOENT');
});

test('what a killed removal left is covered by the backup that it made, and by no backup of less', async () => {
  await using writer = await place.open();
  const kept = (await keeper.look('ollama'))!;
  await keeper.noteGoing(kept);
  const { snapshot } = await saved(writer);
  await unlink(join(folder, 'models/manifests/registry/tea/latest'));
  await unlink(join(folder, 'state.db'));
  await partLinks([folder], writer, { signal, step: async () => {}, warn: () => {} });
  await keeper.settleGoing();
  const left = (await keeper.look('ollama'))!;
  expect(await keeper.isPartOf(left, snapshot)).toBe(true);
  await using source = await keeper.open(left);
  const proof = await coveredBy(source, snapshot, { writer, way: () => 'link', signal });
  expect(proof?.snapshot.id).toBe(snapshot.id);
  await keeper.remove(left, proof!);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['another content', () => writeFile(join(folder, 'state.db'), 'other')],
  ['another mode', () => chmod(join(folder, 'state.db'), 0o600)],
  ['a file more', () => writeFile(join(folder, 'more'), 'more')],
])('what has %s is no part of the backup', async (_, change) => {
  await using writer = await place.open();
  const { snapshot } = await saved(writer);
  await change();
  expect(await keeper.isPartOf((await keeper.look('ollama'))!, snapshot)).toBe(false);
});

test('bytes that only look the same are not covered', async () => {
  await using writer = await place.open();
  const { snapshot } = await saved(writer);
  const path = join(folder, 'two\nlines');
  const { atime, mtime } = await stat(path);
  await writeFile(path, 'ODD');
  execFileSync('touch', ['-d', mtime.toISOString(), path]);
  expect(atime).toBeDefined();
  await using source = await keeper.open((await keeper.look('ollama'))!);
  expect(await coveredBy(source, snapshot, { writer, way: () => 'copy', signal })).toBeUndefined();
});

test('a part of it that stands is no obstacle, and the rest is put beside it', async () => {
  const before = portrait(folder);
  const snapshot = await snapshotOnly();
  await unlink(join(folder, 'models/manifests/registry/tea/latest'));
  await unlink(join(folder, 'absolute'));
  await mkdir(join(folder, '.aixcl-restore-killed'));
  await writeFile(join(folder, '.aixcl-restore-killed', '0'), 'half');
  expect(await keeper.compare(subject, snapshot, { signal })).toEqual({ kind: 'nothing' });
  await restored(snapshot);
  expect(portrait(folder)).toBe(before);
});

test.each([
  ['a file of another content', () => writeFile(join(folder, 'state.db'), 'other')],
  ['a file more', () => writeFile(join(folder, 'more'), 'more')],
  ['another link', () => symlink('x', join(folder, 'another'))],
])('%s: it is put back into an empty volume, or none', async (_, change) => {
  const snapshot = await snapshotOnly();
  await change();
  const before = portrait(folder);
  const refused = { code: 'refused', hint: expect.stringContaining('aixcl stack clean --volumes ollama') };
  await expect(keeper.compare(subject, snapshot, { signal })).rejects.toMatchObject(refused);
  await expect(restored(snapshot)).rejects.toMatchObject(refused);
  expect(portrait(folder)).toBe(before);
});

test('nothing is put into a volume that a running container uses; a guard does not use it', async () => {
  const snapshot = await snapshotOnly();
  const mounts = [{ kind: 'volume', name: 'ollama', target: '/x' }];
  const world = (own: object) =>
    keeperWith(
      new TestEngine({
        volumes: [named('ollama', folder)],
        containers: [container('user', { mounts, ...own })],
      }),
    );
  keeper = world({});
  await expect(keeper.compare(subject, snapshot, { signal })).rejects.toMatchObject({
    code: 'refused',
    message: 'the container user runs and uses the volume ollama',
  });
  keeper = world({ mounts: [{ ...mounts[0]!, readOnly: true }] });
  expect(await keeper.compare(subject, snapshot, { signal })).toEqual({ kind: 'same' });
  keeper = world({ state: 'exited' });
  expect(await keeper.compare(subject, snapshot, { signal })).toEqual({ kind: 'same' });
});

test('what a damaged vault has is not put back: the volume stays empty', async () => {
  const snapshot = await savedAndGone();
  const { digest } = snapshot.files.find(({ path }) => path === blob)!;
  await chmod(place.vault.blobPath(digest), 0o644);
  await writeFile(place.vault.blobPath(digest), Buffer.alloc(large.length));
  engine = new TestEngine({ volumes: [named('ollama', folder)] });
  keeper = keeperWith(engine);
  await expect(restored(snapshot)).rejects.toMatchObject({ code: 'verification' });
  expect(await readdir(folder)).toEqual([]);
});

test('sockets and pipes are named, and keep the volume', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const kept = (await keeper.look('ollama'))!;
  expect(kept.held).toBe('"pipe" in it can\'t be saved: it is neither file, folder nor link');
  await expect(keeper.open(kept)).rejects.toMatchObject({ code: 'refused' });
});

test('a volume whose folder is not there holds who knows what', async () => {
  await rm(folder, { recursive: true });
  await expect(keeper.look('ollama')).rejects.toMatchObject({
    code: 'refused',
    message: `the volume ollama is a name for ${folder}, and there is no ${folder}`,
  });
});

async function snapshotOnly(): Promise<Snapshot> {
  await using writer = await place.open();
  await using source = await keeper.open((await keeper.look('ollama'))!);
  const wish = { writer, backupType: 'emergency', reason: '', operation: 'test-0', signal } as const;
  return (await save(source, { ...wish, created: new Date(Date.now() - 1000), way: () => 'copy' })).snapshot;
}
