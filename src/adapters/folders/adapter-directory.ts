import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterDirectory } from '../../models/adapter.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import type { KeptModel } from '../../models/keeper.ts';

/** A kept directory's files, to be looked into; `root`: where their paths begin. */
export function adapterDirectory(root: string, { files }: Pick<KeptModel, 'files'>): AdapterDirectory {
  return {
    path: root,
    files,
    async read(path, work) {
      await using handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
      return await work(await fileSource(handle));
    },
  };
}
