import { constants, type Stats } from 'node:fs';
import { chmod, lstat, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import { give, ownershipOf, syncDirectory } from '../durable.ts';
import { copyInto } from '../models-directory/copy.ts';
import { namesIn } from '../names-in.ts';

/**
 * Takes over what a program of others wrote: a file of its own, given to the owner of `models`, readable, on the disk. Throws `verification` when
 * there is none, or one that has another name too. `by`: who was to write it.
 */
export async function takeOver(
  path: string,
  models: string,
  { by, signal }: { readonly by: string; readonly signal: AbortSignal },
): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (!found) {
    const others = (await namesIn(dirname(path))).filter((name) => !['lock', 'operation'].includes(name));
    const left = others.length > 0 ? `, but ${others.map(quoted).join(', ')} beside it` : '';
    throw new AixclError('verification', `${by} ended well, and wrote nothing to OUTPUT${left}`, {
      hint: 'It has to write the merged model, a GGUF, to the path in $OUTPUT.',
    });
  }
  if (!found.isFile() || found.nlink > 1) {
    throw new AixclError(
      'verification',
      `what ${by} left at OUTPUT is no file of its own, but ${kindOf(found)}`,
      {
        hint: found.isDirectory()
          ? 'It has to write the merged model as one GGUF, to the path in $OUTPUT.'
          : 'Let it copy the file: cp MERGED "$OUTPUT"',
      },
    );
  }
  if (isOurs(found)) await chmod(path, 0o644);
  else await copyOver(path, by, signal);
  await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  await give(handle, await ownershipOf(models));
  await handle.sync();
  await syncDirectory(dirname(path));
}

/** Root may do with any file as with its own. */
function isOurs({ uid }: Stats): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || own === uid;
}

/** What a container of the user's command wrote is root's, and as long as it is, nobody else may give it modes or other names. */
async function copyOver(path: string, by: string, signal: AbortSignal): Promise<void> {
  const own = `${path}.own`;
  try {
    await copyInto(path, own, { signal });
    await rename(own, path);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    throw new AixclError('verification', `what ${by} left at OUTPUT can't be read by this user`, {
      hint: 'Let it give the file away, or its rights: chmod a+r "$OUTPUT"',
      cause: error,
    });
  }
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  return found.isFile() || found.isSymbolicLink() ? 'a link' : 'a device or a pipe';
}
