import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { Keeper, KeptModel, RestoreOptions } from '../../models/keeper.ts';
import type { Standing } from '../../models/plan-restore.ts';
import type { ContainerSummary, Engine } from '../../stack/engine.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source, Subject } from '../../vault/subject.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { ContainerFiles } from '../container-files.ts';
import { FileChanged, hashWhole, openRegular } from '../vault/hashing.ts';
import { missingIn } from './compare.ts';
import { FolderWriter } from './folder-writer.ts';
import { forgetGoing, goingNotes, noteGoing } from './going-notes.ts';
import { HelperVolumeWriter } from './helper-writer.ts';
import {
  assertSame,
  filesInFolder,
  findVolume,
  isEmpty,
  type KeptVolume,
  lookAgain,
  startHelper,
  type VolumePlaces,
} from './kept-volume.ts';
import { volumeTarget } from './list-volume.ts';
import { mayActFor } from './rights.ts';
import { type SavedAttributes, type SavedTree, savedTree, volumeFacts } from './saved-tree.ts';
import { putBackFirst, type VolumeWriter } from './volume-writer.ts';

export interface VolumeKeeperPlaces extends VolumePlaces {
  /** Makes the volume that a snapshot is of, where there is none of that name. */
  readonly make: (name: string, tree: SavedTree, snapshot: Snapshot) => Promise<void>;
}

/**
 * Keeps all that lies in a volume of the engine, whatever it is. Read in its folder where it is a name for one, so that the vault takes the
 * files over, else by a helper container.
 */
export class VolumeKeeper implements Keeper {
  readonly runtime = 'volume';
  readonly #places: VolumeKeeperPlaces;

  get #notes(): string {
    return join(this.#places.home, 'going');
  }

  constructor(places: VolumeKeeperPlaces) {
    this.#places = places;
  }

  async list(): Promise<readonly KeptModel[]> {
    return [];
  }

  /** Undefined also for one that holds nothing; see `look`. */
  async find(name: string): Promise<KeptVolume | undefined> {
    const found = await this.look(name);
    return found && !isEmpty(found) ? found : undefined;
  }

  /** Undefined where the engine has no such volume. */
  look(name: string): Promise<KeptVolume | undefined> {
    return findVolume(this.#places, name);
  }

  async open(model: KeptModel): Promise<Source> {
    const kept = await this.#kept(model);
    if (kept.held !== null) throw heldBack(kept);
    const { subject, saved, volume, folder } = kept;
    const common = {
      subject,
      folders: saved.emptyFolders,
      facts: volumeFacts(saved, volume, folder),
    };
    if (folder !== undefined) {
      const files = await filesInFolder(kept, folder, await this.#places.receipts());
      const assertUnchanged = async () => assertSame(kept, await this.look(subject.name));
      return { ...common, files, assertUnchanged, [Symbol.asyncDispose]: async () => {} };
    }
    const helper = await startHelper(this.#places, subject.name, 'read');
    const reader = new ContainerFiles(await this.#places.engine(), helper.id);
    const files = saved.files.map(({ path, identity: { size } }) => ({
      path,
      size,
      digest: null,
      proven: false,
      bytes: {
        kind: 'stream' as const,
        open: async () => {
          const bytes = await reader.read(`${volumeTarget}/${path}`, path, size);
          if (bytes) return bytes;
          throw new AixclError('verification', `${path} of the volume ${subject.name} is gone`);
        },
      },
    }));
    const assertUnchanged = async () => assertSame(kept, await lookAgain(kept, helper, this.#places));
    return { ...common, files, assertUnchanged, [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose]() };
  }

  async space(): Promise<null> {
    return null;
  }

  /** Nobody knows what its files should be. They are hashed, so that the vault need not when it takes them over. */
  async verify(model: KeptModel, options: WorkOptions): Promise<readonly []> {
    const kept = await this.#kept(model);
    if (kept.folder !== undefined) await this.#hashFolder(kept, kept.folder, options);
    return [];
  }

  async #hashFolder(kept: KeptVolume, folder: string, options: WorkOptions): Promise<Map<string, Digest>> {
    const receipts = await this.#places.receipts();
    const digests = new Map<string, Digest>();
    let done = 0;
    for (const { path, identity } of kept.saved.files) {
      const before = done;
      const onProgress = (now: number) => options.onProgress?.(before + now);
      const known = (await receipts.find(identity))?.digest;
      const digest =
        known ?? (await this.#hashFile(join(folder, path), receipts, { ...options, onProgress }));
      if (digest) digests.set(path, digest);
      done += identity.size;
      onProgress(identity.size);
    }
    return digests;
  }

  /** Undefined where this user may not read it. */
  async #hashFile(
    path: string,
    receipts: Awaited<ReturnType<VolumePlaces['receipts']>>,
    options: WorkOptions,
  ): Promise<Digest | undefined> {
    try {
      await using handle = await openRegular(path);
      const { digest, identity } = await hashWhole(handle, options);
      await receipts.record(handle, path, identity, digest);
      return digest;
    } catch (error) {
      // Whoever saves it tells of what changes all the while.
      if (error instanceof FileChanged) return undefined;
      if (error instanceof AixclError && error.code === 'refused') return undefined;
      throw error;
    }
  }

  /** Once nobody uses it and no guard holds it. The volume goes; of one that is a name for a folder, what was saved goes from that too. */
  async remove(model: KeptModel, proof: VerifiedBackup): Promise<void> {
    const kept = await this.#kept(model);
    const { subject, folder, volume } = kept;
    assertSame(kept, await this.look(subject.name));
    await proof.assertCovers(subject);
    if (folder !== undefined || boundHere(kept)) {
      await using writer = await this.#writer(kept, 'remove');
      await writer.takeAway(kept.saved);
    }
    await (await this.#places.engine()).removeVolume({ name: volume.name, proof });
  }

  /** Notes whose its files are, before the vault takes them over. */
  async noteGoing(model: KeptModel): Promise<void> {
    await noteGoing(this.#notes, this.#places.home, await this.#kept(model));
  }

  /** They are gone, or have what was theirs. */
  async forgetGoing({ subject }: KeptModel): Promise<void> {
    await forgetGoing(this.#notes, subject.name);
  }

  /** What was noted by a command that was killed, or failed: files that stay have their owners and modes again. */
  async settleGoing(): Promise<void> {
    for (const { volume, files } of await goingNotes(this.#notes)) {
      const kept = files.size > 0 ? await this.look(volume) : undefined;
      if (kept) {
        await using writer = await this.#writer(kept, 'settle', [...files.values()]);
        await writer.settle(files);
      }
      await forgetGoing(this.#notes, volume);
    }
  }

  /** Whether all that stands in it is in a snapshot, as far as names, sizes, owners, modes and times tell. */
  async isPartOf(model: KeptModel, snapshot: Snapshot): Promise<boolean> {
    const kept = await this.#kept(model);
    try {
      return !(await missingByName(kept, savedTree(snapshot), snapshot)).attributes;
    } catch (error) {
      if (error instanceof AixclError && ['refused', 'verification'].includes(error.code)) return false;
      throw error;
    }
  }

  /** A snapshot is put into an empty volume, or one that holds a part of it: where that is not so, it is `refused`. */
  async compare({ name }: Subject, snapshot: Snapshot, options: WorkOptions): Promise<Standing> {
    const tree = savedTree(snapshot);
    await this.#assertUnused(name);
    const kept = await findVolume(this.#places, name, holdsStore(tree));
    if (!kept) return { kind: 'nothing' };
    const { files, links, folders, attributes } = await this.#missing(kept, tree, snapshot, options);
    const whole = files.length + links.length === 0 && !folders && !attributes;
    return whole ? { kind: 'same' } : { kind: 'nothing' };
  }

  async restore(snapshot: Snapshot, { vault, target, operation, signal, onProgress }: RestoreOptions) {
    const tree = savedTree(snapshot);
    const { name } = target;
    if (!(await this.look(name))) await this.#places.make(name, tree, snapshot);
    await this.#assertUnused(name);
    const kept = await findVolume(this.#places, name, holdsStore(tree));
    if (!kept) throw new AixclError('unexpected', `the volume ${name} was made, and is not there`);
    const options = { signal, ...(onProgress && { onProgress }) };
    const missing = await this.#missing(kept, tree, snapshot, options);
    const standing = new Set([...kept.saved.files, ...kept.saved.links].map(({ path }) => path));
    const others = [...tree.attributes].filter(([path]) => standing.has(path));
    await using writer = await this.#writer(kept, operation, [...tree.attributes.values()]);
    await writer.settle(new Map(others));
    await writer.fill({
      ...options,
      tree,
      files: putBackFirst(missing.files),
      links: missing.links,
      vault,
      operation,
    });
  }

  async mend(): Promise<void> {
    throw new AixclError('refused', 'nobody knows what the bytes of a volume should be, so it is not mended');
  }

  async #missing(kept: KeptVolume, tree: SavedTree, snapshot: Snapshot, options: WorkOptions) {
    const { saved, folder, subject } = kept;
    // Other things tell by their names and sizes, which takes no hashing.
    await missingByName(kept, tree, snapshot);
    const digests = folder === undefined ? undefined : await this.#hashFolder(kept, folder, options);
    // What this user may not read, a helper may.
    if (!digests || saved.files.some(({ path }) => !digests.has(path)))
      return await this.#missingByHelper(kept, tree, snapshot, options);
    const digestOf = async (path: string) => digests.get(path) ?? '';
    return await missingIn(subject.name, saved, tree, snapshot, digestOf);
  }

  async #missingByHelper(
    { saved, subject }: KeptVolume,
    tree: SavedTree,
    snapshot: Snapshot,
    { signal }: WorkOptions,
  ) {
    const sizes = new Map(saved.files.map(({ path, identity }) => [path, identity.size]));
    if (sizes.size === 0) return await missingIn(subject.name, saved, tree, snapshot, async () => '');
    await using helper = await startHelper(this.#places, subject.name, 'compare');
    const reader = new ContainerFiles(await this.#places.engine(), helper.id);
    return await missingIn(subject.name, saved, tree, snapshot, async (path) => {
      const bytes = await reader.read(`${volumeTarget}/${path}`, path, sizes.get(path) ?? 0);
      if (!bytes) return '';
      const hash = createHash('sha256');
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        hash.update(chunk as Buffer);
      }
      return digestOf(hash.digest('hex'));
    });
  }

  async #kept(model: KeptModel): Promise<KeptVolume> {
    if ('saved' in model) return model as KeptVolume;
    const found = await this.look(model.subject.name);
    if (found) return found;
    throw noVolume(model.subject);
  }

  /** `wish`: whose files are to be made, or given back. */
  async #writer(
    { folder, saved, subject }: KeptVolume,
    operation: string,
    wish: readonly SavedAttributes[] = [],
  ): Promise<VolumeWriter> {
    const owners = [...saved.owned.values(), ...wish.map(({ owner }) => owner)];
    if (folder !== undefined && (await mayActFor(owners))) return new FolderWriter(subject.name, folder);
    const engine = await this.#places.engine();
    const helper = await startHelper(this.#places, subject.name, operation);
    return new HelperVolumeWriter({ engine, helper, volume: subject.name, signal: this.#places.signal });
  }

  async #assertUnused(name: string): Promise<void> {
    const engine = await this.#places.engine();
    const user = (await usersOf(engine, name)).find(({ state }) => isUp(state));
    if (!user) return;
    throw new AixclError('refused', `the container ${user.name} runs and uses the volume ${name}`, {
      hint: `aixcl stack stop, or docker stop ${user.name}; then run the command again`,
    });
  }
}

/** As if all that has the name and the size of what was saved had its bytes too. */
function missingByName({ saved, subject }: KeptVolume, tree: SavedTree, snapshot: Snapshot) {
  const digests = new Map<string, string>(tree.files.map(({ path, digest }) => [path, digest]));
  return missingIn(subject.name, saved, tree, snapshot, async (path) => digests.get(path) ?? '');
}

/** Containers that may write into it. A guard only holds it, and a helper is ours. */
async function usersOf(engine: Engine, name: string): Promise<ContainerSummary[]> {
  const containers = await engine.listContainers();
  return containers.filter(
    ({ labels: own, mounts }) =>
      own[labels.operation] === undefined &&
      mounts.some((mount) => mount.kind === 'volume' && mount.name === name && mount.readOnly !== true),
  );
}

function holdsStore({ folders }: SavedTree): boolean {
  return folders.includes('models/blobs') || folders.includes('models/manifests');
}

function isUp(state: ContainerSummary['state']): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

function boundHere({ volume }: KeptVolume): boolean {
  return volume.options.o?.split(',').includes('bind') === true;
}

function heldBack({ subject, held }: KeptVolume): AixclError {
  return new AixclError('refused', `the volume ${subject.name} stays: ${held}`, {
    hint: `Take it out of the volume first: docker volume inspect ${subject.name}`,
  });
}

function noVolume({ name }: Subject): AixclError {
  return new AixclError('notFound', `there is no volume ${name} on this engine`, {
    hint: 'docker volume ls',
  });
}
