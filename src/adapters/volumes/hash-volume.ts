import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { ContainerFiles } from '../container-files.ts';
import { FileChanged, hashWhole, openRegular } from '../vault/hashing.ts';
import type { Receipts } from '../vault/receipts.ts';
import { type KeptVolume, startHelper, type VolumePlaces } from './kept-volume.ts';
import { volumeTarget } from './list-volume.ts';

/** Digests of all files of a volume by path; those that this user may not read are hashed through a helper. */
export async function hashVolume(
  places: VolumePlaces,
  kept: KeptVolume,
  options: WorkOptions,
): Promise<ReadonlyMap<string, Digest>> {
  const here = await hashFolder(places, kept, options);
  const far = kept.saved.files.filter(({ path }) => !here.has(path));
  if (far.length === 0) return here;
  const digests = new Map(here);
  await using helper = await startHelper(places, kept.subject.name, 'compare');
  const reader = new ContainerFiles(await places.engine(), helper.id);
  for (const { path, identity } of far) {
    const bytes = await reader.read(`${volumeTarget}/${path}`, path, identity.size);
    if (!bytes) continue;
    const hash = createHash('sha256');
    for await (const chunk of bytes) {
      options.signal.throwIfAborted();
      hash.update(chunk as Buffer);
    }
    digests.set(path, digestOf(hash.digest('hex')));
  }
  return digests;
}

/** Of the files that this process reads itself; what they hash to is remembered. None of a volume inside the engine. */
export async function hashFolder(
  places: VolumePlaces,
  { saved, folder }: KeptVolume,
  options: WorkOptions,
): Promise<ReadonlyMap<string, Digest>> {
  const digests = new Map<string, Digest>();
  if (folder === undefined) return digests;
  const receipts = await places.receipts();
  let done = 0;
  for (const { path, identity } of saved.files) {
    const before = done;
    const onProgress = (now: number) => options.onProgress?.(before + now);
    const known = (await receipts.find(identity))?.digest;
    const digest = known ?? (await hashOne(join(folder, path), receipts, { ...options, onProgress }));
    if (digest) digests.set(path, digest);
    done += identity.size;
    options.onProgress?.(done);
  }
  return digests;
}

/** Undefined where this user may not read it, or it changes meanwhile. */
async function hashOne(path: string, receipts: Receipts, options: WorkOptions): Promise<Digest | undefined> {
  try {
    await using handle = await openRegular(path);
    const { digest, identity } = await hashWhole(handle, options);
    await receipts.record(handle, path, identity, digest);
    return digest;
  } catch (error) {
    if (error instanceof FileChanged) return undefined;
    if (error instanceof AixclError && error.code === 'refused') return undefined;
    throw error;
  }
}
