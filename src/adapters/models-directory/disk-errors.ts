import { systemCode } from '../../errors.ts';
import { diskRefusal } from '../disk-refusal.ts';
import { assertFolder } from './assert-folder.ts';

/** Runs `work` on the models directory `place`; the disk's refusals that a user can mend become errors that say so. */
export async function onDisk<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes(systemCode(error) ?? '')) await assertFolder(place);
    throw diskRefusal(error, place, place);
  }
}
