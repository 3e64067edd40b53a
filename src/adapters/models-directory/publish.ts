import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../errors.ts';
import { syncDirectory } from '../durable.ts';

/**
 * Gives the file at `staged` the name `target`, unless that name is taken: then false and nothing is changed. Never writes over anything.
 * Both on the same mount; the bytes are fsynced already.
 */
export async function publishFile(staged: string, target: string): Promise<boolean> {
  try {
    await link(staged, target);
  } catch (error) {
    switch (systemCode(error)) {
      case 'EEXIST':
        return false;
      // File systems without hard links (exFAT, some network shares).
      case 'EPERM':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'ENOSYS':
      case 'EMLINK':
        return await publishOverClaim(staged, target);
      default:
        throw error;
    }
  }
  await syncDirectory(dirname(target));
  await unlink(staged);
  await syncDirectory(dirname(staged));
  return true;
}

/** Takes the name with an empty file of our own, which only one process can do, and renames over that. */
async function publishOverClaim(staged: string, target: string): Promise<boolean> {
  try {
    const claim = await open(target, 'wx', 0o644);
    await claim.close();
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(staged, target);
  await syncDirectory(dirname(target));
  return true;
}

/** As `publishFile` for a folder: a name is taken when anything but an empty folder has it. */
export async function publishFolder(staged: string, target: string): Promise<boolean> {
  await syncDirectory(staged);
  try {
    await rename(staged, target);
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
  await syncDirectory(dirname(target));
  return true;
}
