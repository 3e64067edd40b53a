import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { Keeper, KeptModel } from '../../models/keeper.ts';
import { quoted } from '../../models/model-name.ts';
import type { Digest } from '../../vault/digest.ts';
import { settleSwaps } from '../swap/settle-swaps.ts';
import { notedSwaps } from '../swap/swap.ts';
import { hashFile } from '../vault/hashing.ts';
import { findFolder, type KeptFolder, openFolder } from './kept-folder.ts';
import { putFolderBack, refusal } from './put-back.ts';
import { takeFolderAway } from './take-away.ts';

/**
 * Keeps plain directories, an adapter or a training set, and GGUF files that lie elsewhere than models do. They are saved and restored; one goes only where a command says that it will, as a consolidation's adapter. `home`: where the notes of unfinished
 * changes lie; `vault`: what no directory may hold, or lie in.
 */
export function directoryKeeper(places: { readonly home: string; readonly vault: string }): Keeper {
  const notes = join(places.home, 'swaps');
  return {
    runtime: 'directory',
    list: async () => [],
    find: (name) => findFolder(name, places.vault),
    async open(model) {
      return openFolder(await kept(model));
    },
    verify: async () => [],
    async digests(model, options) {
      const digests = new Map<string, Digest>();
      let done = 0;
      const { root, tree } = await kept(model);
      for (const { path, identity } of tree.files) {
        const before = done;
        const onProgress = (now: number) => options.onProgress?.(before + now);
        digests.set(path, (await hashFile(join(root, path), { signal: options.signal, onProgress })).digest);
        done += identity.size;
      }
      return digests;
    },
    remove: async (model, proof) => {
      try {
        await takeFolderAway(await kept(model), proof, notes);
      } catch (error) {
        throw refusal(error, model.subject.name, notes);
      }
    },
    restore: (snapshot, options) => putFolderBack(snapshot, options, { ...places, notes }),
    async mend(model) {
      throw new AixclError(
        'refused',
        `${quoted(model.subject.name)} is a directory of yours, and is not mended`,
      );
    },
    space: async () => null,
    unfinished: async () => (await notedSwaps(notes)).length > 0,
    recover: (writer, options) => settleSwaps(notes, writer, async () => {}, options),
  };

  async function kept(model: KeptModel): Promise<KeptFolder> {
    if ('tree' in model) return model as KeptFolder;
    const found = await findFolder(model.subject.name, places.vault);
    if (found) return found;
    throw new AixclError('notFound', `${quoted(model.subject.name)} is not there`);
  }
}
