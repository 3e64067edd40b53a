import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { diskRefusal } from '../disk-refusal.ts';

/** Runs `work` on the vault at `place`; what a disk refuses becomes an error that names the vault and says what mends it. */
export async function onVault<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!['ENOTDIR', 'EISDIR', 'EEXIST'].includes(systemCode(error) ?? '')) {
      throw diskRefusal(error, `the vault ${place}`, place);
    }
    throw new AixclError(
      'refused',
      `The vault ${place} is not laid out as a vault: ${(error as Error).message}`,
      { hint: `ls -l ${shellWord(place)}`, cause: error },
    );
  }
}
