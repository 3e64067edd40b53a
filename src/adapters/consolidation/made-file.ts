import { constants, type Stats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import { give, ownershipOf, syncDirectory } from '../durable.ts';
import { namesIn } from '../names-in.ts';

/**
 * Takes over what a program of others wrote: a file of its own, given to the owner of `models`, readable, on the disk. Throws `verification` when
 * there is none, or one that has another name too. `by`: who was to write it.
 */
export async function takeOver(path: string, models: string, by: string): Promise<void> {
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
  await using handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  await give(handle, await ownershipOf(models));
  await handle.chmod(0o644);
  await handle.sync();
  await syncDirectory(dirname(path));
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  return found.isFile() || found.isSymbolicLink() ? 'a link' : 'a device or a pipe';
}
