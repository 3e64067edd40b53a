import { AixclError, systemCode } from '../errors.ts';
import { shellWord } from '../shell-word.ts';

/**
 * What a disk refuses, as an error that names `thing` (`the vault /PATH`), which lies at `place`, and says what to look at; any other error
 * as it is.
 */
export function diskRefusal(error: unknown, thing: string, place: string): unknown {
  const subject = thing.charAt(0).toUpperCase() + thing.slice(1);
  const words = error instanceof Error ? error.message : '';
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AixclError('noSpace', `The disk of ${thing} is full`, {
        hint: `df -h ${shellWord(place)}; df -i ${shellWord(place)}`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new AixclError('refused', `${subject} can't be used by this user: ${words}`, {
        hint: `ls -ld ${shellWord(place)}`,
        cause: error,
      });
    case 'EROFS':
      return new AixclError('refused', `${subject} lies on a read-only file system`, {
        hint: `findmnt -T ${place}`,
        cause: error,
      });
    case 'EIO':
      return new AixclError('unexpected', `The disk of ${thing} fails: ${words}`, {
        hint: 'dmesg | tail',
        cause: error,
      });
    default:
      return error;
  }
}
