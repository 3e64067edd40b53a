import { join } from 'node:path';
import type { KeptFolder } from '../../adapters/folders/kept-folder.ts';
import type { KeptGguf } from '../../adapters/models-directory/kept-model.ts';
import { hashFile } from '../../adapters/vault/hashing.ts';
import type { Found } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';

/** sha256 of each file of a GGUF model or a plain folder, by its path in a snapshot; hashed where nobody did since it was written. */
export async function digestsIn(
  context: Surroundings,
  { model }: Found,
): Promise<{ readonly path: string; readonly sha256: string }[]> {
  const places =
    'parts' in model
      ? (model as KeptGguf).parts.map(({ real }) => real)
      : model.files.map(({ path }) => join((model as KeptFolder).root, path));
  return await working(context, `Checking ${quoted(model.subject.name)}`, model.size, async (options) => {
    const sums = [];
    let done = 0;
    for (const [index, { path, size, digest }] of model.files.entries()) {
      const before = done;
      const onProgress = (now: number) => options.onProgress?.(before + now);
      const known = digest ?? (await hashFile(places[index]!, { signal: options.signal, onProgress })).digest;
      sums.push({ path, sha256: known.replace(/^sha256:/, '') });
      done += size;
    }
    return sums;
  });
}
