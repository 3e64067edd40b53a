import { AixclError, systemCode } from '../../errors.ts';

/** Runs `work` on the vault at `place`; what a disk refuses becomes an error that names the vault and says what mends it. */
export async function onVault<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(error, place);
  }
}

function explained(error: unknown, place: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AixclError('noSpace', `The disk of the vault ${place} is full`, {
        hint: `df -h ${place}; df -i ${place}`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new AixclError('refused', `The vault ${place} can't be used by this user: ${textOf(error)}`, {
        hint: `ls -ld ${place}`,
        cause: error,
      });
    case 'EROFS':
      return new AixclError('refused', `The vault ${place} lies on a read-only file system`, {
        hint: `findmnt -T ${place}`,
        cause: error,
      });
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return new AixclError('refused', `The vault ${place} is not laid out as a vault: ${textOf(error)}`, {
        hint: `ls -l ${place}`,
        cause: error,
      });
    case 'EIO':
      return new AixclError('unexpected', `The disk of the vault ${place} fails: ${textOf(error)}`, {
        hint: 'dmesg | tail',
        cause: error,
      });
    default:
      return error;
  }
}

function textOf(error: unknown): string {
  return (error as Error).message;
}
