import { appendFile, chmod, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { draft, type LiveFile, options, publish, TestVault } from '../vault/test-vault.ts';
import { partLinks } from './part-links.ts';

let place: TestVault;
let live: LiveFile;
const told: string[] = [];
beforeEach(async () => {
  told.length = 0;
  place = await TestVault.make();
  live = await place.live('tea.gguf', Buffer.alloc(9000, 'tea'));
});
afterEach(() => place[Symbol.asyncDispose]());

/** What the next command does. */
async function parted(): Promise<void> {
  await using writer = await place.open('test-2');
  await partLinks([join(place.root, 'live'), join(place.root, 'not-there')], writer, {
    signal: new AbortController().signal,
    step: async (path, because) => {
      told.push(`${path}: ${because}`);
    },
    warn: (line) => told.push(line),
  });
}

async function linkedIn(): Promise<void> {
  await using writer = await place.open();
  await writer.takeIn(live, options('link'));
  expect((await stat(live.full)).nlink).toBe(2);
}

test('a blob that was linked in and that nothing names lets go; its owner can write the file again', async () => {
  await linkedIn();
  await parted();
  const { nlink, mode } = await stat(live.full);
  expect({ nlink, mode: mode & 0o777 }).toEqual({ nlink: 1, mode: 0o644 });
  expect(await readFile(live.full)).toEqual(live.content);
  expect((await place.vault.blobs()).size).toBe(0);
  expect(told).toHaveLength(1);
  told.length = 0;
  await parted();
  expect(told).toEqual([]);
});

test('a blob that a snapshot names gets bytes of its own', async () => {
  {
    await using writer = await place.open();
    await publish(writer, [live], undefined, 'link');
  }
  await parted();
  await appendFile(live.full, 'scribble');
  expect(await place.read(live.digest)).toEqual(live.content);
});

test('a folder is looked into where it was saved from', async () => {
  const other = await place.live('../elsewhere/tea.gguf', Buffer.alloc(9000, 'other'));
  const subject = { runtime: 'directory', name: join(place.root, 'elsewhere') } as const;
  {
    await using writer = await place.open();
    await publish(writer, [{ ...other, path: 'tea.gguf' }], draft('x', { subject }), 'link');
  }
  await parted();
  expect((await stat(other.full)).nlink).toBe(1);
});

test('while a record can not be read, no blob is taken for one that nothing names', async () => {
  {
    await using writer = await place.open();
    const { digest } = await publish(writer, [live], undefined, 'link');
    const manifest = place.vault.blobPath(digest);
    await chmod(manifest, 0o644);
    await writeFile(manifest, 'x');
  }
  await parted();
  await appendFile(live.full, 'scribble');
  expect(await place.read(live.digest)).toEqual(live.content);
});

test('what was written to since stays as it is, and is told', async () => {
  {
    await using writer = await place.open();
    await publish(writer, [live], undefined, 'link');
  }
  await chmod(live.full, 0o644);
  await appendFile(live.full, 'scribble');
  await parted();
  expect(told.join()).toContain('are one file still');
  expect((await stat(live.full)).nlink).toBe(2);
});

test("somebody's own link to a blob is none of ours", async () => {
  await using writer = await place.open();
  const { digest } = await writer.takeIn(live, options('copy'));
  await mkdir(join(place.root, 'mine'));
  await link(place.vault.blobPath(digest), join(place.root, 'mine', 'copy'));
  await writer[Symbol.asyncDispose]();
  await parted();
  expect((await stat(join(place.root, 'mine', 'copy'))).nlink).toBe(2);
});
