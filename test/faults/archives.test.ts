import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { entriesOf } from '../../src/adapters/vault-archive/entries.ts';
import {
  type RawEntry,
  tarOf,
  testSnapshot,
  testVault,
} from '../../src/adapters/vault-archive/test-archive.ts';
import { writeArchive } from '../../src/adapters/vault-archive/write.ts';
import {
  contentOf,
  type FaultHome,
  faultHome,
  faultTest,
  savedIn,
  tool,
  writeModel,
} from './lab/fault-test.ts';

const layout = { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' };
const link = `blobs/sha256/${'a'.repeat(64)}`;

faultTest(
  '36: an archive that would write elsewhere, or fill the disk, is refused before anything is written',
  async () => {
    await using home = await faultHome();
    const outside = join(home.scratch, 'escape');
    const crafted: Record<string, RawEntry[]> = {
      'a way out': [{ name: '../../../escape', content: 'x' }],
      'a way out behind a name of ours': [{ name: 'blobs/sha256/../../../escape', content: 'x' }],
      'an absolute path': [{ name: outside, content: 'x' }],
      'a link and a write through it': [
        { name: link, type: 'symlink', linkname: outside },
        { name: link, content: 'x' },
      ],
      'a folder that is a link': [
        { name: 'blobs', type: 'symlink', linkname: home.scratch },
        { name: 'blobs/sha256/escape', content: 'x' },
      ],
      'a hard link': [{ name: link, type: 'link', linkname: '/etc/passwd' }],
      'a device': [{ name: 'blobs/null', type: 'character-device' }],
      'a name twice': [layout],
    };
    // Each beside a snapshot that is as it should be.
    const whole = await wholeArchive(home);
    for (const [what, entries] of Object.entries(crafted)) {
      const file = join(home.scratch, 'crafted.tar');
      await writeFile(file, Buffer.concat([whole.subarray(0, -1024), await tarOf(entries)]));
      const before = await contentOf(home.root);
      const { code, stderr } = await home.run(['vault', 'import', file]);
      expect.soft({ what, code }).toEqual({ what, code: 7 });
      expect.soft(stderr).toContain('Nothing was taken from it');
      expect.soft(await contentOf(home.root)).toEqual(before);
      expect.soft(await contentOf(outside)).toBeUndefined();
    }
  },
);

faultTest('36: a snapshot whose names would lead out of the models directory is not taken in', async () => {
  await using home = await faultHome();
  const whole = { 'tea.gguf': 'GGUF' };
  const crafted = [
    testSnapshot('b0001', '../../escape.gguf', whole),
    testSnapshot('b0001', '/etc/cron.d/escape', whole),
    testSnapshot('b0001', '.aixcl', whole),
    testSnapshot('b0001', 'two\nlines.gguf', whole),
    testSnapshot('b0001', 'tea', { '.aixcl/state': 'x' }),
    testSnapshot('b0001', 'tea', { 'current.gguf': 'x' }),
  ];
  for (const [index, each] of crafted.entries()) {
    const file = join(home.scratch, `crafted-${index}.tar`);
    const { signal } = new AbortController();
    await writeArchive(file, await entriesOf(testVault([each]), [each.snapshot]), new Date(0), { signal });
    const { code } = await home.run(['vault', 'import', file]);
    expect.soft({ name: each.snapshot.subject.name, code }).toMatchObject({ code: 7 });
    expect.soft(await savedIn(home.vault)).toEqual([]);
  }
});

faultTest(
  '36: a bomb, a size that the file does not hold and a blob beyond all disks, costs neither time nor memory',
  async () => {
    await using home = await faultHome();
    const file = join(home.scratch, 'bomb.tar');
    // One entry of 8 TiB, all of it a hole: the file is as large as it says, and takes a block.
    const bytes = await tarOf([layout, { name: link, content: '' }]);
    const at = 1024;
    const size = 8 * 1024 ** 4;
    bytes.writeUInt32BE(0x80000000, at + 124);
    bytes.writeBigUInt64BE(BigInt(size), at + 128);
    bytes.fill(0x20, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((all, byte) => all + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
    await writeFile(file, bytes);
    const cut = await home.run(['vault', 'import', file], { timeout: 5000 });
    expect(cut).toMatchObject({ code: 7, stderr: expect.stringContaining('cut off') });
    await truncate(file, 2048 + size);
    const full = await home.run(['vault', 'import', file], { timeout: 5000 });
    expect(full).toMatchObject({ code: 8, stderr: expect.stringContaining('nothing was taken in') });
    expect(await savedIn(home.vault)).toEqual([]);
  },
);

faultTest(
  'an archive with a bit flipped anywhere is refused, naming the entry; whole, it brings each byte back',
  async () => {
    await using home = await faultHome();
    await using other = await faultHome();
    const sha256 = await writeModel(join(home.models, 'tea.gguf'), 'tea');
    await home.must(['backups', 'create', 'tea.gguf']);
    const file = join(home.scratch, 'tea.tar');
    await home.must(['vault', 'export', file, 'tea.gguf']);
    tool('skopeo', ['inspect', '--raw', `oci-archive:${file}:b0001`]);

    const whole = await readFile(file);
    const names = tool('tar', ['tf', file]).trim().split('\n');
    const model = whole.indexOf(await readFile(join(home.models, 'tea.gguf')));
    for (const offset of [
      model,
      model + 70_000,
      whole.indexOf('"manifests"') + 20,
      whole.indexOf('"layers"') + 30,
    ]) {
      const bytes = Buffer.from(whole);
      bytes[offset] = bytes[offset]! ^ 1;
      await writeFile(file, bytes);
      const { code, stderr } = await other.run(['vault', 'import', file]);
      expect.soft({ offset, code }).toEqual({ offset, code: 7 });
      expect.soft(names.some((name) => stderr.includes(name))).toBe(true);
      expect.soft(await savedIn(other.vault)).toEqual([]);
    }

    await writeFile(file, whole);
    await other.must(['vault', 'import', file]);
    await other.must(['backups', 'restore', 'b0001', '--yes']);
    expect(await contentOf(join(other.models, 'tea.gguf'))).toEqual({ 'tea.gguf': sha256 });
  },
);

async function wholeArchive(home: FaultHome): Promise<Buffer> {
  const file = join(home.scratch, 'whole.tar');
  await writeModel(join(home.models, 'tea.gguf'), 'tea');
  await home.must(['backups', 'create']);
  await home.must(['vault', 'export', file, 'b0001']);
  await rm(home.root, { recursive: true });
  await home.must(['vault', 'import', file]);
  await rm(home.root, { recursive: true });
  return readFile(file);
}
