import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';

/** Throws `usage` where the models directory is a file, or would lie below one. One that is not there yet is none of that. */
export async function assertFolder(directory: string): Promise<void> {
  for (let path = directory; ; path = dirname(path)) {
    try {
      if ((await stat(path)).isDirectory()) return;
    } catch (error) {
      if (systemCode(error) === 'ENOTDIR') continue;
      return;
    }
    throw new AixclError(
      'usage',
      `the models directory (AIXCL_MODELS_DIR) can't be used: ${path} is a file, not a folder`,
      { hint: 'AIXCL_MODELS_DIR=/FOLDER aixcl …' },
    );
  }
}
