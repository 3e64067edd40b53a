import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { draft, hashOf, options, publish, type TestVault } from '../../../src/adapters/vault/test-vault.ts';
import { flip, inodeOf, present, touch } from './tampering.ts';

/** How bytes come in. */
export function takesIn(make: () => Promise<TestVault>): void {
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
}
