import { randomBytes } from 'node:crypto';
import { utimesSync } from 'node:fs';
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  contentOf,
  draft,
  hashOf,
  options,
  publish,
  type TestVault,
} from '../../../src/adapters/vault/test-vault.ts';
import type { Digest } from '../../../src/vault/digest.ts';

const now = () => new Date();
const grace = 3600;

/** What every vault owes, on whatever file system its folder and the live files are: `make` says. */
export function vaultObligations(name: string, make: () => Promise<TestVault>): void {
  describe(`a vault ${name}`, () => {
    test('that is not there yet is empty, and is not made by looking', async () => {
      await using home = await make();
      expect(await home.vault.contents()).toEqual({ snapshots: [], broken: [] });
      expect((await home.vault.blobs()).size).toBe(0);
      expect((await home.vault.space()).free).toBeGreaterThan(0);
      await expect(stat(home.path)).rejects.toThrow('ENOENT');
    });

    test('gives back bit for bit what was saved, under its hash, read-only', async () => {
      await using home = await make();
      const files = [
        await home.live('a'),
        await home.live('deep/b'),
        await home.live('empty', Buffer.alloc(0)),
      ];
      await using writer = await home.open();
      const made = await publish(writer, files, draft('tea', { folders: ['none'], facts: { a: [1] } }));
      expect(made).toMatchObject({ id: 'b0001', size: 10_000, damage: null, places: [] });
      const { snapshots, broken } = await home.vault.contents();
      expect(broken).toEqual([]);
      expect(snapshots).toEqual([made]);
      for (const { digest, content, size } of files) {
        expect(await contentOf(await home.vault.openBlob(digest, size))).toEqual(content);
        expect((await stat(home.vault.blobPath(digest))).mode & 0o777).toBe(0o444);
      }
      expect(await readdir(join(home.path, 'ingest', 'test-1'))).toEqual([]);
    });

    test.each([
      ['memory', (content: Buffer) => ({ kind: 'memory' as const, content })],
      [
        'a stream',
        (content: Buffer) => ({ kind: 'stream' as const, open: async () => Readable.from([content]) }),
      ],
    ])('takes bytes from %s, and none that are not what was said', async (_, bytesOf) => {
      await using home = await make();
      await using writer = await home.open();
      const content = randomBytes(100_000);
      const file = { path: 'x', size: content.length, digest: null, proven: false, bytes: bytesOf(content) };
      const { digest, how } = await writer.takeIn(file, options('link'));
      expect([digest, how]).toEqual([hashOf(content), 'rehashed']);
      const other = hashOf(Buffer.from('other'));
      await expect(writer.takeIn({ ...file, digest: other }, options('copy'))).rejects.toThrow('is damaged');
      await expect(writer.takeIn({ ...file, size: 99_999 }, options('copy'))).rejects.toThrow();
      await expect(writer.takeIn({ ...file, size: 100_001 }, options('copy'))).rejects.toThrow();
      expect([...(await home.vault.blobs()).keys()]).toEqual([digest]);
    });

    test('copies what stays, and takes over the inode of what goes', async () => {
      await using home = await make();
      const [stays, goes] = [await home.live('stays'), await home.live('goes')];
      await using writer = await home.open();
      expect((await writer.takeIn(stays, options('copy'))).how).toBe('rehashed');
      expect((await writer.takeIn(goes, options('link'))).how).toBe('same-inode');
      expect(await inodeOf(home.vault.blobPath(stays.digest))).not.toBe(await inodeOf(stays.full));
      expect(await inodeOf(home.vault.blobPath(goes.digest))).toBe(await inodeOf(goes.full));
    });

    test('has bytes of its own again when a file that it shares an inode with is to stay', async () => {
      await using home = await make();
      const file = await home.live('a');
      await using writer = await home.open();
      await writer.takeIn(file, options('link'));
      const evidence = await writer.takeIn(file, options('copy', { recheck: false }));
      expect(evidence.how).toBe('rehashed');
      expect(await inodeOf(home.vault.blobPath(file.digest))).not.toBe(await inodeOf(file.full));
    });

    test('takes a proven live file over even where it has the blob already', async () => {
      await using home = await make();
      const file = await home.live('a');
      {
        await using writer = await home.open();
        await writer.takeIn(file, options('copy'));
      }
      await using writer = await home.open('test-2');
      const evidence = await writer.takeIn({ ...file, proven: true }, options('link'));
      expect(evidence).toMatchObject({ how: 'same-inode', hashed: true });
      expect(await inodeOf(home.vault.blobPath(file.digest))).toBe(await inodeOf(file.full));
      await writer.assertUnchanged([evidence]);
      await rm(file.full);
      await writer.assertUnchanged([evidence]);
    });

    test.each(['link', 'copy'] as const)(
      'takes in no damaged file by %s, and leaves it as it was',
      async (way) => {
        await using home = await make();
        const file = await home.live('a');
        await writeFile(file.full, Buffer.alloc(file.size));
        await using writer = await home.open();
        await expect(writer.takeIn(file, options(way))).rejects.toMatchObject({ code: 'verification' });
        expect((await home.vault.blobs()).size).toBe(0);
        expect(await readFile(file.full)).toEqual(Buffer.alloc(file.size));
        expect(await readdir(join(home.path, 'ingest', 'test-1'))).toEqual([]);
      },
    );

    test('notices a live file that was damaged after its bytes were saved', async () => {
      await using home = await make();
      const file = await home.live('a');
      await using writer = await home.open();
      await publish(writer, [file]);
      await writeFile(file.full, Buffer.alloc(file.size));
      for (const way of ['link', 'copy'] as const) {
        const attempt = writer.takeIn(file, options(way, { recheck: false }));
        await expect(attempt).rejects.toMatchObject({ code: 'verification' });
      }
      expect(hashOf(await home.read(file.digest))).toBe(file.digest);
    });

    test.each(['link', 'copy'] as const)(
      'heals a damaged blob of its own by %s, and keeps the bad bytes',
      async (way) => {
        await using home = await make();
        const file = await home.live('a');
        {
          await using writer = await home.open();
          await publish(writer, [file]);
        }
        await flip(home.vault.blobPath(file.digest));
        await using writer = await home.open('test-2');
        await expect(writer.rehash(file.digest, file.size, options('copy'))).rejects.toMatchObject({
          code: 'verification',
        });
        await writer.takeIn(file, options(way));
        expect(hashOf(await home.read(file.digest))).toBe(file.digest);
        if (way === 'copy') expect(await readdir(join(home.path, 'quarantine'))).toHaveLength(2);
      },
    );

    test('holds a large file that nobody hashed, when that is allowed, and does not call it hashed', async () => {
      await using home = await make();
      const file = await home.live('a', randomBytes(1_000_000));
      await using writer = await home.open();
      const evidence = await writer.takeIn(file, options('link', { unhashed: true }));
      expect(evidence).toMatchObject({ how: 'same-inode', hashed: false });
      const made = await writer.publish(draft(), [{ path: 'a', evidence }]);
      expect(made.verified).toBeNull();
    });

    test('hashes it all the same when the vault has a copy, which never gives way to bytes that nobody looked at', async () => {
      await using home = await make();
      const file = await home.live('a', randomBytes(1_000_000));
      {
        await using writer = await home.open();
        await publish(writer, [file]);
      }
      await flip(file.full);
      await using writer = await home.open('test-2');
      const attempt = writer.takeIn(file, options('link', { unhashed: true }));
      await expect(attempt).rejects.toMatchObject({ code: 'verification' });
      expect(hashOf(await home.read(file.digest))).toBe(file.digest);
    });

    test('hashes it all the same when it looks as if it were never written', async () => {
      await using home = await make();
      const file = await home.live('a', randomBytes(1_000_000));
      await truncate(file.full, 0);
      await truncate(file.full, file.size);
      await using writer = await home.open();
      const attempt = writer.takeIn(file, options('link', { unhashed: true }));
      await expect(attempt).rejects.toMatchObject({ code: 'verification' });
    });

    test('trusts a blob that is the file that was hashed, hashes it where asked, and says which', async () => {
      await using home = await make();
      const file = await home.live('a', randomBytes(1_000_000));
      {
        await using writer = await home.open();
        await writer.takeIn(file, options('copy'));
      }
      await using writer = await home.open('test-2');
      expect((await writer.takeIn(file, options('copy', { recheck: false }))).how).toBe('trusted');
      expect((await writer.takeIn(file, options('copy'))).how).toBe('rehashed');
    });

    test('knows a blob that it took over after the live name went', async () => {
      await using home = await make();
      const file = await home.live('a', randomBytes(1_000_000));
      {
        await using writer = await home.open();
        await publish(writer, [file], draft(), 'link');
        await rm(file.full);
      }
      const again = await home.live('b', file.content);
      await using writer = await home.open('test-2');
      expect((await writer.takeIn(again, options('copy', { recheck: false }))).how).toBe('trusted');
    });

    test.each(['link', 'copy'] as const)('takes files of the same content at once by %s', async (way) => {
      await using home = await make();
      const content = randomBytes(70_000);
      const files = await Promise.all(['a', 'b', 'c'].map((path) => home.live(path, content)));
      await using writer = await home.open();
      for (const digest of [files[0]?.digest ?? null, null]) {
        const taken = await Promise.all(
          files.map(async (file) => ({
            path: file.path,
            evidence: await writer.takeIn({ ...file, digest }, options(way)),
          })),
        );
        expect((await writer.publish(draft(), taken)).files).toHaveLength(3);
      }
      expect([...(await home.vault.blobs()).values()].filter(({ size }) => size === 70_000)).toHaveLength(1);
    });

    test.each(['link', 'copy'] as const)(
      'takes a file by %s that changed once meanwhile, and none that keeps changing',
      async (way) => {
        await using home = await make();
        const file = await home.live('a', randomBytes(2_000_000));
        await using writer = await home.open();
        let times = 0;
        const once = () => {
          if (times++ === 0) touch(file.full);
        };
        expect((await writer.takeIn(file, options(way, { onProgress: once }))).digest).toBe(file.digest);
        expect(times).toBeGreaterThan(1);
        const other = await home.live('b', randomBytes(2_000_000));
        const restless = writer.takeIn(other, options(way, { onProgress: () => touch(other.full) }));
        await expect(restless).rejects.toMatchObject({ code: 'refused' });
        expect(await present(home, file.digest, other.digest)).toEqual([true, false]);
      },
    );

    test('follows no link and takes in nothing but files', async () => {
      await using home = await make();
      const file = await home.live('a');
      const link = join(home.root, 'live', 'link');
      await symlink(file.full, link);
      await using writer = await home.open();
      for (const path of [link, join(home.root, 'live')]) {
        for (const way of ['link', 'copy'] as const) {
          const attempt = writer.takeIn({ ...file, bytes: { kind: 'file', path } }, options(way));
          await expect(attempt).rejects.toMatchObject({ code: 'verification' });
        }
      }
      const gone = { ...file, bytes: { kind: 'file' as const, path: join(home.root, 'gone') } };
      await expect(writer.takeIn(gone, options('copy'))).rejects.toMatchObject({ code: 'notFound' });
    });

    test('never uses a number again', async () => {
      await using home = await make();
      await using writer = await home.open();
      const file = await home.live('a');
      const ids = [];
      for (let count = 0; count < 3; count += 1) ids.push((await publish(writer, [file])).id);
      await writer.remove(['b0002', 'b0003'], now());
      ids.push((await publish(writer, [file])).id);
      const version = draft('tea.gguf', { kind: 'version', backupType: null });
      ids.push((await publish(writer, [file], version)).id, (await publish(writer, [file], version)).id);
      expect(ids).toEqual(['b0001', 'b0002', 'b0003', 'b0004', 'tea.gguf@v001', 'tea.gguf@v002']);
    });

    test('notes and forgets what is found of a snapshot, and never changes the snapshot', async () => {
      await using home = await make();
      await using writer = await home.open();
      const made = await publish(writer, [await home.live('a')]);
      const marks = {
        verified: new Date('2026-01-02T03:04:05Z'),
        damage: 'é\n',
        undone: now(),
        places: ['/x y'],
      };
      await writer.note('b0001', marks);
      expect((await home.vault.contents()).snapshots).toEqual([{ ...made, ...marks }]);
      const none = { verified: null, damage: null, undone: null, places: [] };
      await writer.note('b0001', none);
      expect((await home.vault.contents()).snapshots).toEqual([{ ...made, ...none }]);
      await expect(writer.note('b0009', none)).rejects.toMatchObject({ code: 'notFound' });
    });

    test('publishes nothing whose blob is not the file any more that was found right', async () => {
      await using home = await make();
      await using writer = await home.open();
      const file = await home.live('a');
      const evidence = await writer.takeIn(file, options('copy'));
      await flip(home.vault.blobPath(file.digest));
      await expect(writer.assertUnchanged([evidence])).rejects.toMatchObject({ code: 'verification' });
      const attempt = writer.publish(draft(), [{ path: 'a', evidence }]);
      await expect(attempt).rejects.toMatchObject({ code: 'verification' });
      expect((await home.vault.contents()).snapshots).toEqual([]);
    });

    test.each(['../a', '/a', 'a//b', '', 'a/./b', 'a\0b'])(
      'publishes no file under the path %j',
      async (path) => {
        await using home = await make();
        await using writer = await home.open();
        const evidence = await writer.takeIn(await home.live('a'), options('copy'));
        await expect(writer.publish(draft(), [{ path, evidence }])).rejects.toMatchObject({ code: 'usage' });
      },
    );

    test('keeps odd names to the byte', async () => {
      await using home = await make();
      await using writer = await home.open();
      const evidence = await writer.takeIn(await home.live('a'), options('copy'));
      const paths = ['-rf', 'a\nb', 'é', 'e\u0301', '._x', 'CON', 'x'.repeat(255), '"\\'];
      await writer.publish(
        draft(),
        paths.map((path) => ({ path, evidence })),
      );
      const { snapshots } = await home.vault.contents();
      expect(snapshots[0]?.files.map(({ path }) => path)).toEqual(paths);
    });

    test('takes a snapshot of another vault as it is', async () => {
      await using here = await make();
      await using there = await make();
      const file = await here.live('a');
      await using writer = await here.open();
      const original = await publish(writer, [file]);
      const record = await here.vault.record(original);
      await using other = await there.open();
      const taken = [{ path: 'a', evidence: await other.takeIn(file, options('copy')) }];
      const adopted = await other.adopt(record, taken, 7);
      expect(adopted).toMatchObject({ id: 'b0007', digest: original.digest, files: original.files });
      expect(await other.adopt(record, taken)).toMatchObject({ id: 'b0007' });
      expect((await publish(other, [await here.live('b')])).id).toBe('b0008');
      const wrong = { ...record, metadata: Buffer.from('{}') };
      await expect(other.adopt(wrong, taken)).rejects.toMatchObject({ code: 'verification' });
    });

    describe('deletes', () => {
      test('with a snapshot the blobs that were its alone', async () => {
        await using home = await make();
        await using writer = await home.open();
        const [a, b, c] = [await home.live('a'), await home.live('b'), await home.live('c')];
        await publish(writer, [a, b]);
        await publish(writer, [b, c]);
        const { freed } = await writer.remove(['b0001'], now());
        expect(freed).toBeGreaterThanOrEqual(a.size);
        expect(await present(home, a.digest, b.digest, c.digest)).toEqual([false, true, true]);
        await expect(writer.remove(['b0001'], now())).rejects.toMatchObject({ code: 'notFound' });
      });

      test('by collecting: what no snapshot names and is old enough, and nothing in a dry run', async () => {
        await using home = await make();
        await using writer = await home.open();
        const [kept, loose] = [await home.live('a'), await home.live('b')];
        await publish(writer, [kept]);
        await writer.takeIn(loose, options('copy'));
        const young = await writer.collect({ now: now(), graceSeconds: grace, dryRun: false });
        expect(young).toEqual({ blobs: [], bytes: 0, young: 1 });
        const later = new Date(Date.now() + 2 * grace * 1000);
        const dry = await writer.collect({ now: later, graceSeconds: grace, dryRun: true });
        expect(dry.blobs).toEqual([{ digest: loose.digest, size: loose.size }]);
        expect(await present(home, loose.digest)).toEqual([true]);
        await writer.collect({ now: later, graceSeconds: grace, dryRun: false });
        expect(await present(home, kept.digest, loose.digest)).toEqual([true, false]);
      });

      test('what was linked in by its coming, not by the age of its bytes', async () => {
        await using home = await make();
        await using writer = await home.open();
        const file = await home.live('a');
        await utimes(file.full, 1e9, 1e9);
        await writer.takeIn(file, options('link'));
        expect((await writer.collect({ now: now(), graceSeconds: grace, dryRun: false })).young).toBe(1);
      });

      const damages: [string, (home: TestVault, files: readonly Digest[]) => Promise<void>][] = [
        ['a manifest is missing', (home, [, manifest]) => rm(home.vault.blobPath(manifest as Digest))],
        ['a manifest is damaged', (home, [, manifest]) => flip(home.vault.blobPath(manifest as Digest))],
        ['index.json is cut off', (home) => truncate(join(home.path, 'index.json'), 30)],
        ['index.json is gone', (home) => rm(join(home.path, 'index.json'))],
        ['an entry of index.json is not ours', (home) => addEntry(home, { digest: 'x' })],
      ];
      test.each(damages)('nothing while %s', async (_, damage) => {
        await using home = await make();
        await using writer = await home.open();
        const [a, b] = [await home.live('a'), await home.live('b')];
        await publish(writer, [a]);
        const { digest } = await publish(writer, [b]);
        await damage(home, [a.digest, digest]);
        const later = new Date(Date.now() + 1e9);
        expect((await home.vault.contents()).broken).toHaveLength(1);
        await expect(writer.remove(['b0001'], later)).rejects.toMatchObject({ exitCode: expect.any(Number) });
        await expect(writer.collect({ now: later, graceSeconds: 0, dryRun: false })).rejects.toThrow();
        expect(await present(home, a.digest, b.digest)).toEqual([true, true]);
      });

      test('nothing while a snapshot is dated in the future', async () => {
        await using home = await make();
        await using writer = await home.open();
        const file = await home.live('a');
        await publish(writer, [file], draft('x', { created: new Date(Date.now() + 1e9) }));
        await expect(writer.remove(['b0001'], now())).rejects.toMatchObject({ code: 'refused' });
        const collected = writer.collect({ now: now(), graceSeconds: 0, dryRun: false });
        await expect(collected).rejects.toMatchObject({ code: 'refused' });
      });

      test('nothing by collecting while a blob of a snapshot is missing', async () => {
        await using home = await make();
        await using writer = await home.open();
        const [a, b] = [await home.live('a'), await home.live('b')];
        await publish(writer, [a]);
        await writer.takeIn(b, options('copy'));
        await rm(home.vault.blobPath(a.digest));
        const later = new Date(Date.now() + 1e9);
        await expect(writer.collect({ now: later, graceSeconds: 0, dryRun: false })).rejects.toMatchObject({
          code: 'refused',
        });
        expect(await present(home, b.digest)).toEqual([true]);
      });
    });

    test('writes no index over one that it can not read', async () => {
      await using home = await make();
      await using writer = await home.open();
      const file = await home.live('a');
      await publish(writer, [file]);
      await truncate(join(home.path, 'index.json'), 30);
      await expect(publish(writer, [file])).rejects.toMatchObject({ code: 'verification' });
      expect(await readFile(join(home.path, 'index.json'))).toHaveLength(30);
    });

    test('keeps entries that it does not know', async () => {
      await using home = await make();
      await using writer = await home.open();
      await publish(writer, [await home.live('a')]);
      await addEntry(home, { digest: 'sha256:1', odd: { deep: true } });
      await publish(writer, [await home.live('b')]);
      const index = JSON.parse(await readFile(join(home.path, 'index.json'), 'utf8'));
      expect(index.manifests[1]).toEqual({ digest: 'sha256:1', odd: { deep: true } });
      expect((await home.vault.contents()).snapshots.map(({ id }) => id)).toEqual(['b0002', 'b0001']);
    });

    test('has one writer, and tells others who it is', async () => {
      await using home = await make();
      {
        await using _writer = await home.open();
        const second = home.open('test-2');
        await expect(second).rejects.toMatchObject({
          code: 'busy',
          message: expect.stringContaining(`aixcl test (pid ${process.pid})`),
        });
      }
      await using _again = await home.open('test-3');
    });

    test('writes nothing once its lock was let go', async () => {
      await using home = await make();
      const writer = await home.open();
      const file = await home.live('a');
      const evidence = await writer.takeIn(file, options('copy'));
      await writer[Symbol.asyncDispose]();
      await expect(writer.publish(draft(), [{ path: 'a', evidence }])).rejects.toThrow('lock');
      await expect(writer.assertUnchanged([evidence])).rejects.toMatchObject({ code: 'verification' });
    });

    test('clears what a killed command left half written', async () => {
      await using home = await make();
      {
        await using _writer = await home.open();
      }
      const left = join(home.path, 'ingest', 'killed-1');
      await mkdir(left);
      await writeFile(join(left, '1'), 'half');
      await writeFile(join(home.path, '.tmp-1'), 'half');
      {
        await using _writer = await home.open('test-2');
      }
      expect(await readdir(join(home.path, 'ingest'))).toEqual([]);
      await expect(stat(join(home.path, '.tmp-1'))).rejects.toThrow('ENOENT');
    });

    test('keeps damaged bytes from elsewhere, with a note of where they come from', async () => {
      await using home = await make();
      await using writer = await home.open();
      const [stays, goes] = [await home.live('a'), await home.live('b')];
      const kept = await writer.quarantine(stays, { move: false, why: 'a test' });
      const moved = await writer.quarantine(goes, { move: true, why: 'a test' });
      expect([await readFile(kept), await readFile(moved)]).toEqual([stays.content, goes.content]);
      expect(await inodeOf(kept)).not.toBe(await inodeOf(stays.full));
      await expect(stat(goes.full)).rejects.toThrow('ENOENT');
      const note = JSON.parse(await readFile(`${moved}.json`, 'utf8'));
      expect(note).toMatchObject({ why: 'a test', from: goes.full, expected: goes.digest });
    });

    test('is made in no folder that holds other things', async () => {
      await using home = await make();
      await mkdir(home.path);
      await writeFile(join(home.path, 'letters.txt'), 'mine');
      await expect(home.open()).rejects.toMatchObject({ code: 'refused' });
      expect(await readdir(home.path)).toEqual(['letters.txt']);
    });
  });
}

/** As if it had been written to. */
function touch(path: string): void {
  utimesSync(path, Date.now() / 1000, Math.random() * 1e9);
}

async function inodeOf(path: string): Promise<number> {
  return (await lstat(path)).ino;
}

async function present(home: TestVault, ...digests: Digest[]): Promise<boolean[]> {
  const blobs = await home.vault.blobs();
  return digests.map((digest) => blobs.has(digest));
}

/** Changes one bit, and nothing else that shows. */
async function flip(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const content = await readFile(path);
  content[0] = (content[0] ?? 0) ^ 1;
  await writeFile(path, content);
  await utimes(path, atime, mtime);
}

async function addEntry(home: TestVault, entry: object): Promise<void> {
  const path = join(home.path, 'index.json');
  const index = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...index, manifests: [...index.manifests, entry] }));
}
