import { AixclError, systemCode } from '../../../errors.ts';

/** Runs `work` on Ollama's store at `place`; what a disk refuses becomes an error that names the store and says what mends it. */
export async function onStore<T>(place: string, work: () => Promise<T>): Promise<T> {
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
      return storeFull(place, error);
    case 'EACCES':
    case 'EPERM':
      return new AixclError(
        'refused',
        `Ollama's store ${place} can't be written by this user: ${(error as Error).message}`,
        { hint: `ls -ld ${place}`, cause: error },
      );
    case 'EROFS':
      return new AixclError('refused', `Ollama's store ${place} lies on a read-only file system`, {
        hint: `findmnt -T ${place}`,
        cause: error,
      });
    case 'EIO':
      return new AixclError('unexpected', `The disk of Ollama's store ${place} fails`, {
        hint: 'dmesg | tail',
        cause: error,
      });
    default:
      return error;
  }
}

export function storeFull(place: string, cause?: unknown): AixclError {
  return new AixclError('noSpace', `The disk of Ollama's store ${place} is full`, {
    hint: place.startsWith('/') ? `df -h ${place}; df -i ${place}` : 'docker system df -v',
    cause,
  });
}
