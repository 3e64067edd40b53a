import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { systemCode } from '../../errors.ts';

/** Why something in the models directory was not opened. `gone`: nothing has that name, and no link either. */
export class NotOpened extends Error {
  readonly gone: boolean;

  constructor(message: string, { gone = false }: { readonly gone?: boolean } = {}) {
    super(message);
    this.gone = gone;
  }
}

/**
 * Opens the regular file at `path`, relative to `directory`, for reading. A link counts when it is relative, as llama-server sees this
 * directory under another path, and leads to a file within the directory. Throws `NotOpened`.
 */
export async function openInside(directory: string, path: string): Promise<FileHandle> {
  const real = await resolveInside(directory, path);
  const handle = await openAsItIs(real);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new NotOpened('it is not a regular file');
}

/** Not following and not blocking: what was a file a moment ago may be a link or a pipe now, or gone. */
async function openAsItIs(real: string): Promise<FileHandle> {
  try {
    return await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw new NotOpened('it leads to nothing', { gone: true });
      case 'ELOOP':
      case 'ENXIO':
        throw new NotOpened('it is not a regular file');
      default:
        throw error;
    }
  }
}

/** Absolute path of what `path` is once links are followed; throws `NotOpened` when that is outside, or nothing. */
export async function resolveInside(directory: string, path: string): Promise<string> {
  const full = join(directory, path);
  let isLink = false;
  try {
    isLink = (await lstat(full)).isSymbolicLink();
    if (isLink && isAbsolute(await readlink(full))) {
      throw new NotOpened('it is an absolute link, which leads elsewhere inside the container');
    }
    const real = await realpath(full);
    const inside = relative(await realpath(directory), real);
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new NotOpened('it is a link that leaves the models directory');
    }
    return real;
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw new NotOpened('it leads to nothing', { gone: !isLink });
      case 'ELOOP':
        throw new NotOpened('it is a link that leads back to itself');
      default:
        throw error;
    }
  }
}
