import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import type { WorkOptions } from '../../models/intake.ts';
import { quoted } from '../../models/model-name.ts';

/**
 * Copies the file at `source` to the new name `target`, by sharing its blocks where the file system can (`FICLONE`), else byte by byte.
 * The file that was opened is the one that is copied. Throws when it changes meanwhile. Does not fsync.
 */
export async function copyInto(source: string, target: string, options: WorkOptions): Promise<void> {
  await using from = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
  const before = await from.stat({ bigint: true });
  if (!before.isFile()) throw new AixclError('usage', `${quoted(source)} is not a regular file`);
  if (!(await cloned(from, source, target))) await copyBytes(from, target, options);
  const after = await from.stat({ bigint: true });
  if (before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs) {
    return options.onProgress?.(Number(after.size));
  }
  await unlink(target);
  throw new AixclError('refused', `${quoted(source)} changed while it was being copied`, {
    hint: 'Let whatever writes it finish, then run the command again.',
  });
}

/** False where the two places can't share blocks; nothing is left of `target` then. */
async function cloned(from: FileHandle, source: string, target: string): Promise<boolean> {
  // copyFile takes no handles; on Linux this name leads to the very file that is open.
  const opened = process.platform === 'linux' ? `/proc/self/fd/${from.fd}` : source;
  try {
    await copyFile(opened, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await stat(target).then(
      () => unlink(target),
      () => undefined,
    );
    return false;
  }
}

async function copyBytes(from: FileHandle, target: string, options: WorkOptions): Promise<void> {
  await using to = await open(target, 'wx', 0o644);
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
  for (let position = 0; ; ) {
    options.signal.throwIfAborted();
    const { bytesRead } = await from.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    let written = 0;
    while (written < bytesRead) {
      written += (await to.write(buffer, written, bytesRead - written, position + written)).bytesWritten;
    }
    position += bytesRead;
    options.onProgress?.(position);
  }
}
