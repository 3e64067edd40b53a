import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a test's own, taken down at the end of its `using` scope. */
export interface Disk extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
  remount(options: string): void;
}

export function tmpfs(bytes: number, options = ''): Disk {
  const path = mkdtempSync(join(tmpdir(), 'aixcl-disk-'));
  tool('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${bytes},mode=755${options && `,${options}`}`,
    'aixcl-fault',
    path,
  ]);
  return mounted(path, () => rmSync(path, { recursive: true, force: true }));
}

export interface LoopDisk extends Disk {
  /** The file that holds it; may be written into while it is not mounted. */
  readonly image: string;
  unmount(): void;
  mount(): void;
  /** As if the power went: nothing that was not synced is written any more. It is mounted again afterwards, journal replayed. */
  powerCut(): void;
}

/** ext4 in a file. `inodes`: so many and no more. */
export function loopDisk(bytes: number, { inodes }: { readonly inodes?: number } = {}): LoopDisk {
  const folder = mkdtempSync(join(tmpdir(), 'aixcl-disk-'));
  const path = join(folder, 'mount');
  let copies = 0;
  let image = join(folder, 'image');
  writeFileSync(image, '');
  truncateSync(image, bytes);
  // Blocks kept for root would make the disk larger than the test says.
  tool('mkfs.ext4', ['-q', '-F', '-m', '0', ...(inodes ? ['-N', String(inodes)] : []), image]);
  mkdirSync(path);
  const mount = () => tool('mount', ['-o', 'loop', image, path]);
  mount();
  const unmount = () => {
    tool('umount', [path]);
    // Another mount namespace (a container that began meanwhile) may keep the file system alive, and what it has in memory. A copy is new to it.
    const next = join(folder, `image-${++copies}`);
    tool('cp', ['--sparse=always', image, next]);
    rmSync(image);
    image = next;
  };
  return {
    ...mounted(path, () => rmSync(folder, { recursive: true, force: true })),
    get image() {
      return image;
    },
    unmount,
    mount,
    powerCut() {
      tool('perl', ['-e', shutdown, path]);
      unmount();
      mount();
    },
  };
}

/** EXT4_IOC_SHUTDOWN, without writing the journal out. */
const shutdown = 'open(F,"<",$ARGV[0]) or die $!; $how=pack("L",2); ioctl(F,0x8004587d,$how) or die $!';

/** Mounts `from` at `to`, a folder that is there. */
export function bind(from: string, to: string): Disk {
  tool('mount', ['--bind', from, to]);
  return mounted(to, () => {});
}

function mounted(path: string, clear: () => void): Disk {
  return {
    path,
    remount: (options) => tool('mount', ['-o', `remount,${options}`, path]),
    [Symbol.dispose]() {
      // Lazily: a command that was left behind must not keep the rest of the run from going on.
      spawnSync('umount', ['-l', path]);
      clear();
    },
  };
}

export function tool(name: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr || stdout}`);
  return stdout;
}

/** Changes one byte of an unmounted disk where these bytes lie, behind the file system's back. */
export async function rot(image: string, bytes: Uint8Array): Promise<void> {
  const disk = await open(image, 'r+');
  const whole = await disk.readFile();
  const offset = whole.indexOf(bytes);
  if (offset < 0) throw new Error('these bytes are not on the disk');
  await disk.write(Buffer.from([whole[offset]! ^ 1]), 0, 1, offset);
  await disk.sync();
  await disk.close();
}
