import { rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Keeper, KeptModel, RecoverOptions } from '../../models/keeper.ts';
import { isModelName } from '../../models/model-name.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import { namesIn } from '../names-in.ts';
import { settleSwaps } from '../swap/settle-swaps.ts';
import { notedSwaps } from '../swap/swap.ts';
import { onDisk } from './disk-errors.ts';
import { openGguf } from './gguf-source.ts';
import { type BlobPath, findKept, type KeptGguf, keptModels } from './kept-model.ts';
import { putBack } from './put-back.ts';
import { finish } from './replace.ts';
import { notesOf, takeAway } from './take-away.ts';
import { mendFile, verifyFiles } from './verify-files.ts';

/** Keeps the GGUF models in `directory`. `blobPath`: where the vault has a blob, to know its own hard links. */
export function ggufKeeper(directory: string, blobPath: BlobPath): Keeper {
  const disk = <T>(work: () => Promise<T>) => onDisk(directory, work);
  return {
    runtime: 'llama-server',
    list: () => disk(() => keptModels(directory, blobPath)),
    find: (name) =>
      disk(async () => (isModelName(name) ? await findKept(directory, name, blobPath) : undefined)),
    open: (model, options = { partial: false }) =>
      disk(async () => openGguf(directory, await gguf(model), blobPath, options)),
    verify: (model, options) => disk(async () => verifyFiles(directory, await gguf(model), options)),
    remove: (model, proof) => disk(async () => takeAway(directory, await gguf(model), proof, blobPath)),
    restore: (snapshot, options) => disk(() => putBack(directory, snapshot, options, blobPath)),
    mend: (model, damaged, options) =>
      disk(async () => mendFile(directory, await gguf(model), damaged, options)),
    async space() {
      try {
        const { bavail, blocks, bsize } = await statfs(directory);
        return { free: bavail * bsize, total: blocks * bsize };
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return null;
        throw error;
      }
    },
    unfinished: () => disk(async () => (await notedSwaps(notesOf(directory))).length > 0),
    recover: (writer, options) => disk(() => recover(directory, writer, options)),
  };

  /** Ours carry what they were found as; of another's making, the one of that name. */
  async function gguf(model: KeptModel): Promise<KeptGguf> {
    if ('parts' in model) return model as KeptGguf;
    const found = await findKept(directory, model.subject.name, blobPath);
    if (found) return found;
    throw new Error(`${model.subject.name} is no model of ${directory}`);
  }
}

/** Under the vault's lock nobody else restores or mends, so what lies there is left over. */
async function recover(directory: string, writer: VaultWriter, options: RecoverOptions): Promise<void> {
  await settleSwaps(notesOf(directory), writer, (swap) => finish(directory, swap), options);
  const incoming = join(directory, '.aixcl', 'incoming');
  for (const name of await namesIn(incoming)) {
    if (/^(restore|mend)-/.test(name)) await rm(join(incoming, name), { recursive: true, force: true });
  }
  const outgoing = join(directory, '.aixcl', 'outgoing');
  for (const name of await namesIn(outgoing)) {
    // What holds something is no leftover of a swap: each of those has a note, and was settled above.
    await rmdir(join(outgoing, name)).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    });
  }
}
