import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hashOf, type LiveFile, sourceOf, TestVault } from '../adapters/vault/test-vault.ts';
import { VaultDirectory } from '../adapters/vault/vault-directory.ts';
import { backUp, hashedOnRemovalBytes, type SaveOptions, save } from './save.ts';
import type { Source } from './subject.ts';
import type { VaultWriter } from './vault.ts';
import { VerifiedBackup } from './verified-backup.ts';

test('what goes on the same disk is taken over, and stays provable while its names go', async () => {
  await using home = await TestVault.make();
  const files = [await home.live('a'), await home.live('b', randomBytes(3_000_000))];
  await using writer = await home.open();
  const progress: number[] = [];
  const proof = await save(sourceOf(files), { ...wish(writer), onProgress: (done) => progress.push(done) });
  expect(proof.good).toBe(true);
  expect(proof.snapshot).toMatchObject({ id: 'b0001', backupType: 'pre_deletion', operation: 'test-1' });
  for (const { full } of files) {
    await proof.assertCovers(sourceOf(files).subject);
    await rm(full);
  }
  for (const { digest } of files) expect(hashOf(await home.read(digest))).toBe(digest);
  expect(Math.max(...progress)).toBe(3_005_000);
});

test('what stays is copied, and hashed anew even where it is known', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using writer = await home.open();
  await save(sourceOf([file]), { ...wish(writer), way: () => 'copy' });
  await writer[Symbol.asyncDispose]();
  await rot(home, file);
  await using next = await home.open('test-2');
  const proof = await save(sourceOf([file]), { ...wish(next), way: () => 'copy' });
  expect(proof.good).toBe(true);
  expect(await home.read(file.digest)).toEqual(file.content);
});

test('a proof rests on hashes of this run, not on what earlier ones found', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  for (const operation of ['test-1', 'test-2']) {
    await using writer = await home.open(operation);
    const begun = Date.now();
    const { snapshot } = await save(sourceOf([file]), { ...wish(writer), way: () => 'copy' });
    expect(snapshot.verified?.getTime()).toBeGreaterThanOrEqual(begun);
  }
});

test('what a sound snapshot says already is not said twice where that is asked for; anything else is', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using writer = await home.open();
  const again = (source: Source, reason = 'a test', recheck = true) =>
    backUp(source, { ...wish(writer), reason, recheck, unlessThere: true });
  const first = await again(sourceOf([file]));
  const begun = Date.now();
  const second = await again(sourceOf([file]));
  expect(second.id).toBe(first.id);
  expect(second.verified?.getTime()).toBeGreaterThanOrEqual(begun);
  const other = { ...sourceOf([file]), facts: { base: 'another' } };
  const ids = [await again(other), await again(sourceOf([file]), 'another reason')].map(({ id }) => id);
  expect(new Set([first.id, ...ids]).size).toBe(3);
  await writer.note(first.id, { damage: 'found damaged' });
  expect((await again(sourceOf([file]))).id).toBe('b0004');
  expect((await backUp(sourceOf([file]), { ...wish(writer), recheck: false })).id).toBe('b0005');
});

test('a proof is of its subject, under its lock, and of blobs that nobody touched', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  const { subject } = sourceOf([file]);
  const writer = await home.open();
  const proof = await save(sourceOf([file]), { ...wish(writer), way: () => 'copy' });
  await proof.assertCovers(subject);
  const other = { ...subject, name: 'other' };
  await expect(proof.assertCovers(other)).rejects.toMatchObject({ code: 'verification' });
  await rot(home, file);
  await expect(proof.assertCovers(subject)).rejects.toMatchObject({ code: 'verification' });
  const second = await save(sourceOf([file]), { ...wish(writer), way: () => 'copy' });
  await second.assertCovers(subject);
  await writer[Symbol.asyncDispose]();
  await expect(second.assertCovers(subject)).rejects.toMatchObject({ code: 'verification' });
});

test('a source that changed while it was read is not saved', async () => {
  await using home = await TestVault.make();
  await using writer = await home.open();
  const source: Source = {
    ...sourceOf([await home.live('a')]),
    assertUnchanged: async () => {
      throw new Error('the manifest is another');
    },
  };
  await expect(save(source, wish(writer))).rejects.toThrow('the manifest is another');
  expect((await home.vault.contents()).snapshots).toEqual([]);
});

test('a damaged file is refused, or kept as it is and said to be damaged', async () => {
  await using home = await TestVault.make();
  const [good, bad] = [await home.live('good'), await home.live('bad')];
  const zeros = Buffer.alloc(bad.size);
  await writeFile(bad.full, zeros);
  await using writer = await home.open();
  await expect(save(sourceOf([good, bad]), wish(writer))).rejects.toMatchObject({ code: 'verification' });
  expect((await home.vault.contents()).snapshots).toEqual([]);
  const proof = await save(sourceOf([good, bad]), { ...wish(writer), damaged: 'keep' });
  expect(proof.good).toBe(false);
  expect(proof.snapshot.verified).toBeNull();
  expect(proof.snapshot.damage).toContain('bad is damaged');
  expect(proof.snapshot.files[1]).toMatchObject({ path: 'bad', digest: hashOf(zeros) });
  await proof.assertCovers(proof.snapshot.subject);
});

test('a subject that is known to lack parts makes no good backup', async () => {
  await using home = await TestVault.make();
  await using writer = await home.open();
  const options = { ...wish(writer), damaged: 'keep' as const, knownDamage: 'blobs/x is missing' };
  const { good, snapshot } = await save(sourceOf([await home.live('a')]), options);
  expect([good, snapshot.damage]).toEqual([false, 'blobs/x is missing']);
});

test('without room nothing is written, and what is linked needs none', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using writer = await home.open();
  const vault = new VaultDirectory({ path: home.path, ownerOf: home.root });
  vault.space = async () => ({ free: 4999, total: 1e9 });
  const bound = bind(writer, { vault });
  const copying = save(sourceOf([file]), { ...wish(bound), way: () => 'copy' });
  await expect(copying).rejects.toMatchObject({ code: 'noSpace' });
  expect(await readdir(join(home.path, 'ingest', 'test-1'))).toEqual([]);
  await save(sourceOf([file]), wish(bound));
});

test('files that nobody hashed are hashed on removal, unless they are too large together', async () => {
  await using home = await TestVault.make();
  await using writer = await home.open();
  const small = await home.live('small');
  expect((await save(sourceOf([small]), wish(writer))).good).toBe(true);
  const asked: (boolean | undefined)[] = [];
  const watching = bind(writer, {
    takeIn: async (file, options) => {
      asked.push(options.unhashed);
      return writer.takeIn({ ...file, size: small.size, digest: small.digest }, options);
    },
  });
  const large = { ...small, size: hashedOnRemovalBytes };
  await save(sourceOf([large]), wish(watching)).catch(() => {});
  await save(sourceOf([large, { ...small, path: 'more' }]), wish(watching)).catch(() => {});
  expect(asked).toEqual([false, true, true]);
});

test('backing up where nothing goes trusts what was hashed before, and is no proof', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a', randomBytes(1_000_000));
  await using writer = await home.open();
  const first = await backUp(sourceOf([file]), { ...wish(writer), recheck: false });
  await writer[Symbol.asyncDispose]();
  await using next = await home.open('test-2');
  const begun = Date.now();
  const second = await backUp(sourceOf([file]), { ...wish(next), recheck: false });
  expect(second.verified?.getTime()).toBeLessThanOrEqual(begun);
  const trusted = await next.takeIn(file, { ...options, recheck: false });
  expect(trusted.how).toBe('trusted');
  expect(() => VerifiedBackup.of(next, first, [trusted])).toThrow('nothing proves');
  const third = await backUp(sourceOf([file]), { ...wish(next), recheck: true });
  expect(third.verified?.getTime()).toBeGreaterThanOrEqual(begun);
  expect((await stat(home.vault.blobPath(file.digest))).nlink).toBe(1);
});

test('after a failure nothing new begins', async () => {
  await using home = await TestVault.make();
  await using writer = await home.open();
  let begun = 0;
  const failing = bind(writer, {
    takeIn: async () => {
      begun += 1;
      throw new Error('enough');
    },
  });
  const files = await Promise.all(Array.from({ length: 10 }, (_, at) => home.live(String(at))));
  await expect(save(sourceOf(files), wish(failing))).rejects.toThrow('enough');
  expect(begun).toBeLessThan(files.length);
});

test('no other code can make a proof', () => {
  // @ts-expect-error its constructor is private
  expect(() => new VerifiedBackup()).not.toThrow();
  // @ts-expect-error what merely looks like one is none
  const forged: VerifiedBackup = {
    snapshot: {} as VerifiedBackup['snapshot'],
    good: true,
    assertCovers: async () => {},
  };
  expect(forged).not.toBeInstanceOf(VerifiedBackup);
  const src = fileURLToPath(new URL('../', import.meta.url));
  const makers = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => /VerifiedBackup\s*\.\s*of\b/.test(readFileSync(join(src, file), 'utf8')));
  // The gate, and what proves once more what a killed command had saved: changes of names, and trees taken away in part.
  expect(makers.sort()).toEqual(['adapters/swap/settle-swaps.ts', 'vault/cover.ts', 'vault/save.ts']);
});

const options = { way: 'copy' as const, recheck: true, signal: new AbortController().signal };

function wish(writer: VaultWriter): SaveOptions {
  return {
    writer,
    backupType: 'pre_deletion',
    reason: 'a test',
    operation: 'test-1',
    created: new Date(Date.now() - 1000),
    way: () => 'link',
    signal: options.signal,
  };
}

/** A writer that does as `writer` does, but for what is given. */
function bind(writer: VaultWriter, more: Partial<VaultWriter>): VaultWriter {
  return {
    vault: writer.vault,
    takeIn: (...args) => writer.takeIn(...args),
    publish: (...args) => writer.publish(...args),
    adopt: (...args) => writer.adopt(...args),
    retire: (...args) => writer.retire(...args),
    reinstate: (...args) => writer.reinstate(...args),
    rehash: (...args) => writer.rehash(...args),
    note: (...args) => writer.note(...args),
    remove: (...args) => writer.remove(...args),
    collect: (...args) => writer.collect(...args),
    setAside: (...args) => writer.setAside(...args),
    quarantine: (...args) => writer.quarantine(...args),
    assertUnchanged: (...args) => writer.assertUnchanged(...args),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    ...more,
  };
}

/** Flips a bit of a blob in the vault. */
async function rot(home: TestVault, { digest }: LiveFile): Promise<void> {
  const path = home.vault.blobPath(digest);
  const content = await readFile(path);
  content[9] = (content[9] ?? 0) ^ 4;
  await writeFile(path, content);
}
