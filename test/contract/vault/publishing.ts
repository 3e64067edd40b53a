import { readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  contentOf,
  draft,
  options,
  publish,
  type TestVault,
} from '../../../src/adapters/vault/test-vault.ts';
import { addEntry, flip, now } from './tampering.ts';

/** What stands in the index, and how it changes. */
export function publishes(make: () => Promise<TestVault>): void {
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
}
