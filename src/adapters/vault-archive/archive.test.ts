import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../vault/digest.ts';
import { mediaTypes, writeDescriptor, writeManifest, writeMetadata } from '../vault/records.ts';
import { entriesOf } from './entries.ts';
import { openArchive } from './read.ts';
import { type RawEntry, sha256, tarOf, testSnapshot, testVault } from './test-archive.ts';
import { sizeOf, writeArchive } from './write.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-archive-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const { signal } = new AbortController();
const tea = testSnapshot('b0003', 'tea.gguf', { 'tea.gguf': 'GGUF of tea'.repeat(5000) });
const big = testSnapshot('b0011', 'big', {
  'big/one.gguf': 'one',
  'big/two.gguf': 'GGUF of tea'.repeat(5000),
  'big/empty': '',
});

async function exported(file = join(root, 'out.tar')): Promise<string> {
  const chosen = [tea, big];
  const entries = await entriesOf(
    testVault(chosen),
    chosen.map(({ snapshot }) => snapshot),
  );
  await writeArchive(file, entries, new Date(0), { signal });
  return file;
}

async function written(entries: readonly RawEntry[]): Promise<string> {
  const file = join(root, 'crafted.tar');
  await writeFile(file, await tarOf(entries));
  return file;
}

describe('an archive', () => {
  test('gives back each snapshot with its record and bytes as they were', async () => {
    await using archive = await openArchive(await exported(), { signal });
    expect(archive.snapshots.map(({ id, subject }) => [id, subject.name])).toEqual([
      ['b0003', 'tea.gguf'],
      ['b0011', 'big'],
    ]);
    for (const [index, { snapshot, manifest, metadata, contents }] of [tea, big].entries()) {
      const read = archive.snapshots[index]!;
      expect(read.digest).toBe(snapshot.digest);
      expect(read.files).toEqual(snapshot.files);
      expect(Buffer.compare(Buffer.from(read.record.manifest), manifest)).toBe(0);
      expect(Buffer.compare(Buffer.from(read.record.metadata), metadata)).toBe(0);
      for (const [digest, content] of contents)
        expect(Buffer.compare(await buffer(archive.openBlob(digest)), content)).toBe(0);
    }
  });

  test('is as large as was said, holds a shared blob once, and is the same when made again', async () => {
    const file = await exported();
    const entries = await entriesOf(testVault([tea, big]), [tea.snapshot, big.snapshot]);
    expect((await stat(file)).size).toBe(sizeOf(entries));
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
    expect(
      Buffer.compare(await readFile(file), await readFile(await exported(join(root, 'again.tar')))),
    ).toBe(0);
  });

  test('does not take what is said of a snapshot in this vault along', async () => {
    const marked = { ...tea.snapshot, places: ['/mnt/nas'], undone: new Date() };
    const entries = await entriesOf(testVault([tea]), [marked]);
    const index = await buffer(await entries.find(({ name }) => name === 'index.json')!.open());
    expect(index.toString()).not.toMatch(/nas|undone/);
  });
});

describe('writing an archive', () => {
  const rotten = {
    ...tea,
    contents: new Map([...tea.contents.keys()].map((digest) => [digest, Buffer.alloc(55000)])),
  };

  test('stops at a blob with other bytes than its name says, names it, and leaves nothing', async () => {
    const entries = await entriesOf(testVault([rotten]), [tea.snapshot]);
    const [digest = ''] = [...tea.contents.keys()];
    await expect(writeArchive(join(root, 'out.tar'), entries, new Date(0), { signal })).rejects.toMatchObject(
      {
        code: 'verification',
        message: expect.stringContaining(digest.slice('sha256:'.length)),
      },
    );
    expect(await readdir(root)).toEqual([]);
  });

  test('never writes over a file that came meanwhile', async () => {
    const file = join(root, 'out.tar');
    await writeFile(file, 'mine');
    await expect(exported(file)).rejects.toMatchObject({ code: 'refused' });
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(await readdir(root)).toEqual(['out.tar']);
  });

  test('names a folder that is not there', async () => {
    await expect(exported(join(root, 'no', 'out.tar'))).rejects.toMatchObject({ code: 'notFound' });
  });

  test('that is interrupted leaves nothing', async () => {
    const stop = new AbortController();
    const slow = {
      name: `blobs/sha256/${'0'.repeat(64)}`,
      size: 1 << 20,
      digest: null,
      shown: 'slow',
      open: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(1 << 19);
            stop.abort(new Error('stopped'));
            yield Buffer.alloc(1 << 19);
          })(),
        ),
    };
    const writing = writeArchive(join(root, 'out.tar'), [slow], new Date(0), { signal: stop.signal });
    await expect(writing).rejects.toThrow('stopped');
    expect(await readdir(root)).toEqual([]);
  });
});

describe('an archive from elsewhere is refused before anything is taken from it, naming what is wrong', () => {
  const layout = { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' };
  const refused = async (file: string, message: RegExp | string) => {
    await expect(openArchive(file, { signal })).rejects.toMatchObject({
      code: 'verification',
      message:
        typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    });
  };
  /** A whole archive of `tea`, changed by `change`. */
  const changed = async (change: (entries: RawEntry[]) => RawEntry[]) => {
    const entries = await entriesOf(testVault([tea]), [tea.snapshot]);
    const raw = await Promise.all(
      entries.map(async ({ name, open }) => ({ name, content: await buffer(await open()) })),
    );
    return written(change(raw));
  };

  test('unless it is whole: the same entries, unchanged', async () => {
    await using archive = await openArchive(await changed((entries) => entries), { signal });
    expect(archive.snapshots).toHaveLength(1);
  });

  test('unless another program made it: folders in it, names that begin with ./, another order', async () => {
    const file = await changed((entries) => [
      { name: './', type: 'directory' },
      { name: './blobs/', type: 'directory' },
      { name: './blobs/sha256/', type: 'directory' },
      ...entries.reverse().map((each) => ({ ...each, name: `./${each.name}` })),
    ]);
    await using archive = await openArchive(file, { signal });
    expect(archive.snapshots).toHaveLength(1);
  });

  test.each<[string, RawEntry]>([
    ['a way out', { name: '../../etc/cron.d/x', content: 'x' }],
    ['a way out in the middle', { name: 'blobs/sha256/../../../x', content: 'x' }],
    ['an absolute path', { name: '/etc/passwd', content: 'x' }],
    ['a link', { name: `blobs/sha256/${'a'.repeat(64)}`, type: 'symlink', linkname: '/etc' }],
    ['a hard link', { name: `blobs/sha256/${'a'.repeat(64)}`, type: 'link', linkname: '/etc/passwd' }],
    ['a device', { name: 'blobs/sha256/null', type: 'character-device' }],
    ['a pipe', { name: 'index.json', type: 'fifo' }],
    ['a folder of its own', { name: 'blobs/sha512/', type: 'directory' }],
    ['something else', { name: 'README', content: 'x' }],
    ['a digest in capitals', { name: `blobs/sha256/${'A'.repeat(64)}`, content: 'x' }],
    ['a digest that is too short', { name: 'blobs/sha256/abc', content: 'x' }],
  ])('%s', async (_, entry) => {
    const file = await changed((entries) => [...entries, entry]);
    await refused(file, JSON.stringify(entry.name));
  });

  test('a name that is there twice', async () => {
    await refused(await changed((entries) => [...entries, entries.at(-1)!]), /blobs\/sha256\/\w+ twice/);
  });

  test('a blob whose bytes are others', async () => {
    const file = await changed((entries) =>
      entries.map((each) =>
        each.content!.length > 50_000 ? { ...each, content: Buffer.alloc(55_000) } : each,
      ),
    );
    await refused(file, /blobs\/sha256\/\w+ holds other bytes/);
  });

  test('a blob that is missing', async () => {
    const file = await changed((entries) => entries.filter(({ content }) => content!.length < 50_000));
    await refused(file, /blobs\/sha256\/\w+, "tea.gguf" of b0003, is missing/);
  });

  test('a file that is cut off', async () => {
    const file = await exported();
    await truncate(file, (await stat(file)).size - 20_000);
    await refused(file, /cut off|missing/);
  });

  test('a size that the file does not hold, before its bytes are waited for', async () => {
    const file = await exported();
    const bytes = await readFile(file);
    // The size field of the first header: 8 GiB - 1, and its checksum made anew.
    bytes.write('77777777777\0', 124);
    bytes.fill(0x20, 148, 156);
    const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await writeFile(file, bytes);
    await refused(file, 'cut off');
  });

  test('an archive without index, without layout, or of another version', async () => {
    await refused(
      await changed((entries) => entries.filter(({ name }) => name !== 'index.json')),
      'index.json is missing',
    );
    await refused(
      await changed((entries) => entries.filter(({ name }) => name !== 'oci-layout')),
      'oci-layout is missing',
    );
    await refused(
      await written([{ name: 'oci-layout', content: '{"imageLayoutVersion":"2.0.0"}' }]),
      'oci-layout',
    );
    await refused(
      await written([layout, { name: 'index.json', content: '{"manifests":[]}' }]),
      'no snapshot',
    );
    await refused(
      await written([layout, { name: 'index.json', content: '{"manifests":' }]),
      'not whole JSON',
    );
  });

  test('an image that is no snapshot', async () => {
    const index = {
      manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha256(''), size: 0 }],
    };
    await refused(
      await written([layout, { name: 'index.json', content: JSON.stringify(index) }]),
      'no snapshot',
    );
  });

  test.each([
    ['../../x', 'digest'],
    ['sha256:../../x', 'digest'],
  ])('a manifest that names the digest %s', async (digest, message) => {
    const file = await crafted({ 'a.gguf': 'a' }, (manifest) => {
      (manifest.layers as { digest: string }[])[0]!.digest = digest;
    });
    await refused(file, message);
  });

  test.each(['../x.gguf', '/x.gguf', 'a//b', 'a/./b', '', 'a\0b'])(
    'a manifest that names the path %j',
    async (path) => {
      const file = await crafted({ 'a.gguf': 'a' }, (manifest) => {
        (manifest.layers as { annotations: object }[])[0]!.annotations = {
          'org.opencontainers.image.title': path,
        };
      });
      await refused(file, 'no plain relative path');
    },
  );

  test('two files of one path, or one that is a folder too', async () => {
    const twice = (path: string) => (manifest: Record<string, unknown>) => {
      const [first] = manifest.layers as { annotations: object }[];
      manifest.layers = [first, { ...first, annotations: { 'org.opencontainers.image.title': path } }];
    };
    await refused(await crafted({ a: 'a' }, twice('a')), '"a" twice');
    await refused(await crafted({ a: 'a' }, twice('a/b')), 'a folder and a file');
  });

  test('something compressed, empty, or no archive at all', async () => {
    const file = join(root, 'odd.tar');
    await writeFile(file, gzipSync('x'));
    await refused(file, 'compressed');
    await writeFile(file, '');
    await refused(file, 'empty');
    await writeFile(file, 'GGUF'.repeat(1000));
    await refused(file, 'tar header');
    await expect(openArchive(join(root, 'none.tar'), { signal })).rejects.toMatchObject({ code: 'notFound' });
    await expect(openArchive(root, { signal })).rejects.toMatchObject({ code: 'usage' });
  });

  test('a blob that its reader has no room for is told to it before its bytes are read', async () => {
    const seen: [Digest, number][] = [];
    const onBlob = (digest: Digest, size: number) => {
      seen.push([digest, size]);
      if (size > 50_000) throw new Error('no room');
    };
    await expect(openArchive(await exported(), { signal, onBlob })).rejects.toThrow('no room');
    expect(seen.at(-1)).toEqual([[...tea.contents.keys()][0], 55_000]);
  });

  async function crafted(
    files: Readonly<Record<string, string>>,
    change: (manifest: Record<string, unknown>) => void,
  ): Promise<string> {
    const made = testSnapshot('b0001', 'a', files);
    const metadata = writeMetadata(made.snapshot);
    const value = JSON.parse(
      writeManifest({ digest: sha256(metadata), size: metadata.length }, made.snapshot.files).toString(),
    );
    change(value);
    const manifest = JSON.stringify(value);
    const descriptor = writeDescriptor(
      { ...made.snapshot, digest: sha256(manifest) },
      manifest.length,
      'b0001',
    );
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] });
    const blob = (content: string | Buffer) => ({
      name: `blobs/sha256/${sha256(content).slice(7)}`,
      content,
    });
    return written([
      layout,
      { name: 'index.json', content: index },
      blob(manifest),
      blob(metadata),
      ...Object.values(files).map(blob),
    ]);
  }
});
