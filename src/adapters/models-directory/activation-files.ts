import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { parseActiveFile, parseRequest, parseState } from '../../models/activation.ts';
import type { Activation } from '../../models/active-model.ts';
import { activeLink, isModelName, type ModelName } from '../../models/model-name.ts';
import { assertFolder } from './assert-folder.ts';
import { NotOpened, resolveInside } from './open-inside.ts';

/** Longest part of a state or request file that is looked at, in bytes; what the entrypoint writes is far shorter. */
const maximumLength = 64 * 1024;

export async function readActivation(directory: string): Promise<Activation> {
  try {
    return await readFiles(directory);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    // Whoever may not look in still wants to know how the services are.
    const problems = [`${directory} can't be read by this user`];
    return { state: undefined, request: undefined, linked: undefined, written: undefined, problems };
  }
}

async function readFiles(directory: string): Promise<Activation> {
  // Before the state: a request that is taken meanwhile is then seen twice rather than never.
  const own = (name: string) => readSmall(join(directory, '.aixcl', name));
  const request = (await own('request')) ?? (await own('request.taken'));
  const [state, active, link] = await Promise.all([
    own('state'),
    readSmall(join(directory, '.active_model')),
    readLink(directory),
    assertFolder(directory),
  ]);
  const problems: string[] = [];
  if (link && 'problem' in link) problems.push(`${activeLink}: ${link.problem}`);
  const written = parseActiveFile(active);
  if (written && 'problem' in written) problems.push(`.active_model: ${written.problem}`);
  return {
    state: state === undefined ? undefined : parseState(state),
    request: request === undefined ? undefined : parseRequest(request),
    linked: link && 'name' in link ? link.name : undefined,
    written: written && 'name' in written ? written.name : undefined,
    problems,
  };
}

/** Text of a small regular file; undefined when there is none. A link is not followed. */
async function readSmall(path: string): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  await using file = handle;
  if (!(await file.stat()).isFile()) return undefined;
  const buffer = Buffer.alloc(maximumLength);
  const { bytesRead } = await file.read(buffer, 0, maximumLength, 0);
  return buffer.toString('utf8', 0, bytesRead);
}

/** The model that `current.gguf` leads to: the file, or the folder that it lies in. */
async function readLink(directory: string): Promise<{ name: ModelName } | { problem: string } | undefined> {
  const path = join(directory, activeLink);
  try {
    if (!(await lstat(path)).isSymbolicLink()) return { problem: 'it is a file, not a link' };
    const target = (await readlink(path)).replace(/^(\.\/)+/, '');
    await resolveInside(directory, activeLink);
    const [name = '', ...rest] = target.split('/');
    if (rest.length > 1 || !isModelName(name)) return { problem: 'it leads to no model' };
    return { name };
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    if (error instanceof NotOpened) return { problem: error.message };
    throw error;
  }
}
