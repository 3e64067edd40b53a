import { readdir } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/** Names in a folder; none where it is not there, or is none. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
