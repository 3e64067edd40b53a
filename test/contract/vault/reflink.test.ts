import { mkdir, mkdtemp, open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackages } from '../../../src/adapters/debian/apt.ts';
import { whyNoPackages } from '../../../src/adapters/debian/host.ts';
import { removeTree } from '../../../src/adapters/debian/mounts.ts';
import { runCommand } from '../../../src/adapters/debian/run-command.ts';
import { options, TestVault } from '../../../src/adapters/vault/test-vault.ts';
import { vaultObligations } from './obligations.ts';

/** File systems on which two files can share blocks, each in a file of its own. */
const kinds = [
  { kind: 'btrfs', packages: ['btrfs-progs'], make: ['mkfs.btrfs', '-q'] },
  { kind: 'xfs', packages: ['xfsprogs'], make: ['mkfs.xfs', '-q', '-m', 'reflink=1'] },
] as const;
const diskBytes = 512 * 1024 * 1024;

const obstacle = await whyNoPackages();
if (obstacle && process.env.CI) throw new Error(`File systems can't be made: ${obstacle}`);

describe.skipIf(obstacle !== undefined).each(kinds)('$kind', ({ kind, packages, make: [mkfs, ...args] }) => {
  let folder: string;
  let mounted: string;

  beforeAll(async () => {
    await installPackages(packages, { report: () => {} });
    folder = await mkdtemp(join(tmpdir(), `aixcl-${kind}-`));
    mounted = join(folder, 'mounted');
    const image = join(folder, 'image');
    const handle = await open(image, 'wx');
    await handle.truncate(diskBytes);
    await handle.close();
    await mkdir(mounted);
    await runCommand(mkfs, [...args, image]);
    await runCommand('mount', ['-o', 'loop', image, mounted]);
  });

  afterAll(() => removeTree(folder));

  vaultObligations(`on ${kind}`, () => TestVault.make(mounted));

  test('what is copied shares its blocks with what it was copied from', async () => {
    await using home = await TestVault.make(mounted);
    const file = await home.live('a', Buffer.alloc(64 * 1024 * 1024, 'weights'));
    await using writer = await home.open();
    await runCommand('sync', ['-f', mounted]);
    const before = await home.vault.space();
    expect((await writer.takeIn(file, options('copy'))).how).toBe('rehashed');
    await runCommand('sync', ['-f', mounted]);
    const after = await home.vault.space();
    expect(before.free - after.free).toBeLessThan(file.size / 4);
    expect((await stat(home.vault.blobPath(file.digest))).ino).not.toBe((await stat(file.full)).ino);
  });
});
