import { join } from 'node:path';
import { onDisk } from '../../adapters/models-directory/disk-errors.ts';
import { inspectModel } from '../../adapters/models-directory/inspect-model.ts';
import { NotOpened, resolveInside } from '../../adapters/models-directory/open-inside.ts';
import { type FoundModel, scan } from '../../adapters/models-directory/scan.ts';
import type { FileRecord, Model, UnusableFile } from '../../models/model.ts';
import type { ModelName } from '../../models/model-name.ts';
import type { ModelsDirectory } from '../../models/models-directory.ts';
import { recordsOf } from '../../wiring/models/describe-model.ts';
import { markOf, markOfFolder } from './marks.ts';
import type { Looking } from './part.ts';

export interface SeenModel {
  readonly model: Model;
  /** In the order of its files. */
  readonly records: readonly (FileRecord | undefined)[];
}

export interface SeenModels {
  readonly models: readonly SeenModel[];
  readonly unusable: readonly UnusableFile[];
}

/** The models directory; of a model whose files are as they were no header is read again. */
export function ggufModels(directory: ModelsDirectory): Looking<SeenModels> {
  const { path } = directory;
  const known = new Map<ModelName, { readonly mark: string; readonly model: Model }>();

  async function inspected(found: FoundModel): Promise<Model> {
    const mark = await realMark(found);
    const before = known.get(found.name);
    if (mark !== undefined && before?.mark === mark) return before.model;
    const model = await inspectModel(path, found);
    if (mark === undefined) known.delete(found.name);
    else known.set(found.name, { mark, model });
    return model;
  }

  /** Of the files that links lead to; undefined where one leads to none. */
  async function realMark({ paths }: FoundModel): Promise<string | undefined> {
    try {
      return await markOf(...(await Promise.all(paths.map((each) => resolveInside(path, each)))));
    } catch (error) {
      if (error instanceof NotOpened) return undefined;
      throw error;
    }
  }

  return {
    empty: { models: [], unusable: [] },
    // Where hashes are recorded, a file is replaced for each.
    mark: async () => `${await markOf(join(path, '.aixcl', 'digests'))}\n${await markOfFolder(path)}`,
    look: () =>
      onDisk(path, async () => {
        const { found, unusable } = await scan(path);
        const names = new Set(found.map(({ name }) => name));
        for (const name of known.keys()) if (!names.has(name)) known.delete(name);
        const models: SeenModel[] = [];
        for (const each of found) {
          const model = await inspected(each);
          models.push({ model, records: await recordsOf(model, directory) });
        }
        return { models, unusable };
      }),
  };
}
