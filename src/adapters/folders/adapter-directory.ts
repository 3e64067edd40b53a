import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterDirectory } from '../../models/adapter.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import type { KeptModel } from '../../models/keeper.ts';
import { diskRefusal } from '../disk-refusal.ts';
import type { KeptFolder } from './kept-folder.ts';

/** A kept directory's files, to be looked into; `root`: where their paths begin. */
export function adapterDirectory(
  root: string,
  { files, tree }: Pick<KeptModel, 'files'> & Partial<Pick<KeptFolder, 'tree'>>,
): AdapterDirectory {
  return {
    path: root,
    files,
    links: tree?.links.map(({ path }) => path),
    async read(path, work) {
      const file = join(root, path);
      await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
        throw diskRefusal(error, file, file);
      });
      return await work(await fileSource(handle));
    },
  };
}
