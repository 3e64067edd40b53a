import { AixclError, systemCode } from '../../errors.ts';
import { assertFolder } from './assert-folder.ts';

/** Runs `work` on the models directory `place`; the disk's refusals that a user can mend become errors that say so. */
export async function onDisk<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes(systemCode(error) ?? '')) await assertFolder(place);
    throw explained(error, place);
  }
}

function explained(error: unknown, place: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AixclError('noSpace', `The disk of ${place} is full`, {
        hint: `df -h ${place}`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new AixclError('refused', `${place} can't be used by this user: ${(error as Error).message}`, {
        hint: `ls -ld ${place}`,
        cause: error,
      });
    case 'EROFS':
      return new AixclError('refused', `${place} lies on a read-only file system`, {
        hint: `findmnt -T ${place}`,
        cause: error,
      });
    default:
      return error;
  }
}
