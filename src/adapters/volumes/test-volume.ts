import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lchown, lutimes, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const written = new Date('2020-02-02T02:02:02.222Z');

/** A file large enough for the vault to take it over. */
export const large = randomBytes(1_500_000);

/** Fills a folder with all that a volume may hold: names that nobody likes, links, empty folders, other owners (where this is root), odd modes. */
export async function fillVolume(root: string): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  await mkdir(join(root, 'models', 'manifests', 'registry', 'tea'), { recursive: true });
  await mkdir(join(root, 'models', 'blobs'));
  await mkdir(join(root, 'empty', 'deep'), { recursive: true });
  const files: readonly (readonly [string, Uint8Array, number])[] = [
    ['models/manifests/registry/tea/latest', Buffer.from('{}'), 0o600],
    [`models/blobs/sha256-${'a'.repeat(64)}`, large, 0o640],
    ['state.db', Buffer.from('state'), 0o4711],
    ['two\nlines', Buffer.from('odd'), 0o644],
    ['-rf', Buffer.alloc(0), 0o444],
  ];
  for (const [path, content, mode] of files) {
    await writeFile(join(root, path), content);
    if (isRoot) await lchown(join(root, path), 1234, 77);
    await chmod(join(root, path), mode);
    await lutimes(join(root, path), written, written);
  }
  for (const [path, target] of [
    ['absolute', '/etc/passwd'],
    ['models/up', '../../../elsewhere'],
  ] as const) {
    await symlink(target, join(root, path));
    if (isRoot) await lchown(join(root, path), 8, 9);
    await lutimes(join(root, path), written, written);
  }
  for (const [path, mode] of [
    ['models/manifests/registry/tea', 0o700],
    ['models/manifests/registry', 0o755],
    ['models/manifests', 0o755],
    ['models/blobs', 0o755],
    ['empty/deep', 0o711],
    ['empty', 0o3775],
    ['models', 0o750],
    ['', 0o755],
  ] as const) {
    await lutimes(join(root, path), written, written);
    if (isRoot) await lchown(join(root, path), 5, 6);
    await chmod(join(root, path), mode);
  }
}

/** All that is to come back, a line each: path, kind, mode, owner, target, time; and the hash of each file. */
export function portrait(root: string): string {
  const list = `find . -printf '%p|%y|%m|%U:%G|%l|%TY-%Tm-%Td %TH:%TM:%.6TS\\0' | sort -z | tr '\\0' '\\n'`;
  const hashes = 'find . -type f -print0 | sort -z | xargs -0 -r sha256sum';
  return execFileSync('sh', ['-c', `${list}; ${hashes}`], { cwd: root, encoding: 'utf8' });
}
