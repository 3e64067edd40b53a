import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { DamagedFile, MendOptions } from '../../models/keeper.ts';
import type { FileRecord } from '../../models/model.ts';
import { quoted } from '../../models/model-name.ts';
import { type Digest, digestOf, hexOf, isDigest } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { makeDirectory, ownershipOf, syncDirectory } from '../durable.ts';
import { stageFile } from '../swap/stage-files.ts';
import { hashFile } from '../vault/hashing.ts';
import type { KeptGguf, Part } from './kept-model.ts';
import { publishFile } from './publish.ts';
import { lastRecord, writeRecord } from './records.ts';

/**
 * Re-hashes each file of a model and holds it against what was recorded when it was added, whatever its times say now; what has no record
 * gets one. Structure and missing shards count too.
 */
export async function verifyFiles(
  directory: string,
  model: KeptGguf,
  options: WorkOptions,
): Promise<DamagedFile[]> {
  const damaged: DamagedFile[] = [];
  let done = 0;
  for (const part of model.parts) {
    const before = done;
    const wrong = await verifyFile(directory, part, {
      signal: options.signal,
      onProgress: (now) => options.onProgress?.(before + now),
    });
    if (wrong) damaged.push(wrong);
    done += part.identity.size;
  }
  for (const name of model.missing) {
    const record = await lastRecord(directory, model.folder ? join(model.name, name) : name);
    damaged.push({ path: name, digest: record ? digestOf(record.sha256) : null, why: 'it is missing' });
  }
  const [first] = model.parts;
  // Structure tells of damage from before the first hash; one file that is wrong explains it well enough.
  if (model.damage && damaged.length === 0 && first) {
    damaged.push({ path: first.path, digest: null, why: model.damage });
  }
  return damaged;
}

async function verifyFile(
  directory: string,
  part: Part,
  options: WorkOptions,
): Promise<DamagedFile | undefined> {
  let { inode } = part.identity;
  let known: FileRecord | undefined;
  let digest: Digest;
  for (;;) {
    known = await lastRecord(directory, part.place, inode);
    ({ digest } = await hashFile(part.real, options));
    if (!known || digestOf(known.sha256) === digest) {
      await record(directory, part.place, hexOf(digest), known);
      return undefined;
    }
    const now = String((await stat(part.real, { bigint: true })).ino);
    if (now === inode) break;
    // Another file took its place meanwhile: what was recorded of the one before says nothing of that.
    inode = now;
  }
  const [now, then] = [hexOf(digest).slice(0, 12), known.sha256.slice(0, 12)];
  return {
    path: part.path,
    digest: digestOf(known.sha256),
    why: `its bytes are not those that were added: sha256 ${now}…, and was ${then}…`,
  };
}

async function record(
  directory: string,
  place: string,
  sha256: string,
  known: { readonly source: string | null; readonly version: string | null } | undefined,
): Promise<void> {
  const { source = null, version = null } = known ?? {};
  try {
    await writeRecord(directory, place, { sha256, source, version }, await ownershipOf(directory));
  } catch {
    // A directory that can't be written can be read all the same; its files are hashed again next time.
  }
}

/**
 * Puts the right bytes of one file in its place, in one step, once the wrong ones are in quarantine. Throws `verification` when nobody has
 * the right bytes; the file then stays as it is.
 */
export async function mendFile(
  directory: string,
  model: KeptGguf,
  damaged: DamagedFile,
  options: MendOptions,
): Promise<void> {
  const { digest } = damaged;
  const part = model.parts.find(({ path }) => path === damaged.path);
  const place = part?.place ?? (model.folder ? join(model.name, damaged.path) : damaged.path);
  if (digest === null || !isDigest(digest)) throw nobodyKnows(damaged);
  const incoming = join(directory, '.aixcl', 'incoming', `mend-${randomBytes(6).toString('hex')}`);
  const owner = await ownershipOf(directory);
  try {
    const from = options.fetched ?? options.vault.blobPath(digest);
    const staged = join(incoming, basename(place));
    const { size } = await stat(from).catch(() => {
      throw nobodyKnows(damaged);
    });
    await makeDirectory(incoming, owner);
    await stageFile(
      { path: damaged.path, digest, size, executable: part?.executable ?? false },
      staged,
      { blobPath: () => from },
      owner,
      options,
    );
    const target = join(directory, place);
    if (!part) await publishFile(staged, target);
    else {
      await options.writer.quarantine(
        {
          path: damaged.path,
          size: part.identity.size,
          digest: null,
          proven: false,
          bytes: { kind: 'file', path: part.real },
        },
        { move: false, why: `${model.name}: ${damaged.why}` },
      );
      await rename(staged, part.real);
      await syncDirectory(dirname(part.real));
    }
    await record(directory, place, hexOf(digest), await lastRecord(directory, place));
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

function nobodyKnows({ path }: DamagedFile): AixclError {
  return new AixclError(
    'verification',
    `nobody here has the right bytes of ${quoted(path)}; it stays as it is`,
    {
      hint: 'Get the model again from where it came from, under another name: aixcl models add SOURCE --as NAME',
    },
  );
}
