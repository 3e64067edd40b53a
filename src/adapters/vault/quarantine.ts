import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { SourceFile } from '../../vault/subject.ts';
import { replaceFile, syncDirectory } from '../durable.ts';
import { namesIn } from '../names-in.ts';
import type { Desk } from './desk.ts';
import { hashOpen, openRegular } from './hashing.ts';
import { assertDigest, chunksOf, land, makeNew, reflink } from './land.ts';
import { clearTemporary, settle } from './shelf.ts';

/**
 * Damaged bytes that are kept: `quarantine/<operation>-<n>` and beside it a `.json` that says why, when and from where. Nothing of aixcl
 * reads them again or takes them away.
 */
interface Note {
  readonly why: string;
  readonly from: string;
  readonly expected: Digest | null;
}

/** What lies there: so many damaged files, of so many bytes. */
export async function inQuarantine(
  folder: string,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const names = await namesIn(folder);
  const damaged = names.filter((name) => !name.startsWith('.') && !name.endsWith('.json'));
  const sizes = await Promise.all(damaged.map(async (name) => (await lstat(join(folder, name))).size));
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Moves a blob of the vault there. Its name is free when this answers. */
export async function setAside(desk: Desk, digest: Digest, why: string): Promise<string> {
  const from = desk.layout.blob(digest);
  const place = await newPlace(desk, { why, from, expected: digest });
  await rename(from, place);
  desk.found.delete(digest);
  await syncDirectory(desk.layout.quarantine);
  desk.names.changed();
  await desk.names.sync();
  return place;
}

/** Keeps bytes from elsewhere. With `move` their old name is gone afterwards; else the bytes are the quarantine's own. */
export async function keepDamaged(
  desk: Desk,
  file: SourceFile,
  options: { readonly move: boolean; readonly why: string },
): Promise<string> {
  const { bytes, digest } = file;
  const from = bytes.kind === 'file' ? bytes.path : file.path;
  const place = await newPlace(desk, { why: options.why, from, expected: digest });
  if (options.move && bytes.kind === 'file' && (await moved(bytes.path, place))) {
    await syncDirectory(desk.layout.quarantine);
    return place;
  }
  const temporary = desk.newName();
  try {
    await copyTo(desk, file, temporary);
    await rename(temporary, place);
  } finally {
    await clearTemporary(temporary);
  }
  await syncDirectory(desk.layout.quarantine);
  if (options.move && bytes.kind === 'file') await unlink(bytes.path);
  return place;
}

/** By a second name first, so that nothing that stands in the way can be written over. False where the disk is another. */
async function moved(path: string, place: string): Promise<boolean> {
  try {
    await link(path, place);
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? ''))
      return false;
    throw error;
  }
  await unlink(path);
  return true;
}

async function copyTo(desk: Desk, { bytes, size }: SourceFile, temporary: string): Promise<void> {
  const signal = new AbortController().signal;
  if (bytes.kind !== 'file') {
    await using to = await makeNew(temporary);
    await settle(to, desk.owner);
    await land(bytes.kind === 'memory' ? one(bytes.content) : await bytes.open(), to, size, { signal });
    return;
  }
  await using from = await openRegular(bytes.path, bytes.descriptor);
  const { size: found } = await from.stat();
  if (await reflink(from, bytes.path, temporary)) {
    await using to = await openRegular(temporary);
    await settle(to, desk.owner);
    await to.sync();
    return;
  }
  await using to = await makeNew(temporary);
  await settle(to, desk.owner);
  const landed = await land(chunksOf(from, bytes.path), to, found, { signal });
  assertDigest(landed, await hashOpen(from, found, { signal }), temporary);
}

async function* one(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}

async function newPlace(desk: Desk, note: Note): Promise<string> {
  const { quarantine } = desk.layout;
  for (let count = 1; ; count += 1) {
    const place = join(quarantine, `${desk.operation}-${count}`);
    if (await exists(`${place}.json`)) continue;
    const value = { ...note, when: new Date().toISOString(), operation: desk.operation };
    await replaceFile(`${place}.json`, `${JSON.stringify(value, undefined, 2)}\n`, desk.owner);
    return place;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await using _handle: FileHandle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
