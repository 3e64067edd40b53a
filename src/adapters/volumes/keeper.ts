import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { Keeper, KeptModel, RestoreOptions } from '../../models/keeper.ts';
import type { Standing } from '../../models/plan-restore.ts';
import { boundFolder } from '../../stack/observe.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source, Subject } from '../../vault/subject.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { FolderWriter } from './folder-writer.ts';
import { forgetGoing, type GoingNote, goingNotes, noteGoing, tidyNotes } from './going-notes.ts';
import { hashFolder } from './hash-volume.ts';
import { HelperVolumeWriter } from './helper-writer.ts';
import {
  assertSame,
  findVolume,
  isEmpty,
  type KeptVolume,
  startHelper,
  type VolumePlaces,
} from './kept-volume.ts';
import { openVolume } from './open-volume.ts';
import { mayActFor, type Owner } from './rights.ts';
import { type SavedTree, savedTree } from './saved-tree.ts';
import { isPartOf, standingFor } from './standing.ts';
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
  /** Where it is noted whose files are that the vault takes over. */
  readonly #notes: string;

  constructor(places: VolumeKeeperPlaces) {
    this.#places = places;
    this.#notes = goingFolder(places.home);
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
    return openVolume(this.#places, await this.#kept(model));
  }

  async space(): Promise<null> {
    return null;
  }

  /** Nobody knows what its files should be. They are hashed, so that the vault need not when it takes them over. */
  async verify(model: KeptModel, options: WorkOptions): Promise<readonly []> {
    await hashFolder(this.#places, await this.#kept(model), options);
    return [];
  }

  /** Once nobody uses it and no guard holds it. The volume goes; of one that is a name for a folder, what was saved goes from that too. */
  async remove(model: KeptModel, proof: VerifiedBackup): Promise<void> {
    const kept = await this.#kept(model);
    const { subject, folder, volume, saved } = kept;
    assertSame(kept, await this.look(subject.name));
    await proof.assertCovers(subject);
    if (folder !== undefined || boundFolder(volume.options) !== undefined) {
      await using writer = await this.#writer(subject.name, folder, 'remove', saved.owned.values());
      await writer.takeAway(saved);
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
    await tidyNotes(this.#notes);
  }

  /** What a command that was killed, or failed, noted: files that stay get their owners and modes again, once they are parted from the vault. */
  async settleGoing(): Promise<void> {
    for (const note of await goingNotes(this.#notes)) {
      try {
        await this.#settle(note);
      } catch (error) {
        // Without an image for a helper, say: the next command does it.
        if (error instanceof AixclError && later.includes(error.code)) continue;
        throw error;
      }
      await forgetGoing(this.#notes, note.volume);
    }
    await tidyNotes(this.#notes);
  }

  async #settle({ volume, folder, files }: GoingNote): Promise<void> {
    if (files.size === 0) return;
    const owners = [...files.values()].map(({ owner }) => owner);
    await using writer = await this.#writer(volume, folder, 'settle', owners);
    await writer.settle(files);
  }

  /** Whether all that stands in it is in a snapshot, as far as names, sizes, owners, modes and times tell. */
  async isPartOf(model: KeptModel, snapshot: Snapshot): Promise<boolean> {
    return isPartOf(await this.#kept(model), snapshot);
  }

  /** A snapshot is put into an empty volume, or one that holds a part of it: where that is not so, it is `refused`. */
  async compare({ name }: Subject, snapshot: Snapshot, options: WorkOptions): Promise<Standing> {
    const found = await standingFor(this.#places, name, snapshot, savedTree(snapshot), options);
    if (!found) return { kind: 'nothing' };
    const { files, links, folders, attributes } = found.missing;
    const whole = files.length + links.length === 0 && !folders && !attributes;
    return whole ? { kind: 'same' } : { kind: 'nothing' };
  }

  async restore(snapshot: Snapshot, { vault, target, operation, signal, onProgress }: RestoreOptions) {
    const tree = savedTree(snapshot);
    const { name } = target;
    const options = { signal, ...(onProgress && { onProgress }) };
    let found = await standingFor(this.#places, name, snapshot, tree, { signal });
    if (!found) {
      await this.#places.make(name, tree, snapshot);
      found = await standingFor(this.#places, name, snapshot, tree, { signal });
    }
    if (!found) throw new AixclError('unexpected', `the volume ${name} was made, and is not there`);
    const { saved, folder } = found.kept;
    const { files, links } = found.missing;
    const standing = new Set([...saved.files, ...saved.links].map(({ path }) => path));
    const wishes = new Map([...tree.attributes].filter(([path]) => standing.has(path)));
    const owners = [...saved.owned.values(), ...[...tree.attributes.values()].map(({ owner }) => owner)];
    await using writer = await this.#writer(name, folder, operation, owners);
    await writer.settle(wishes);
    await writer.fill({ ...options, tree, files: putBackFirst(files), links, vault, operation });
  }

  async mend(): Promise<void> {
    throw new AixclError('refused', 'nobody knows what the bytes of a volume should be, so it is not mended');
  }

  async #kept(model: KeptModel): Promise<KeptVolume> {
    if ('saved' in model) return model as KeptVolume;
    const { name } = model.subject;
    const found = await this.look(name);
    if (found) return found;
    throw new AixclError('notFound', `there is no volume ${name} on this engine`, {
      hint: 'docker volume ls',
    });
  }

  /** `owners`: whose files are to be taken away, made or given back. */
  async #writer(
    volume: string,
    folder: string | undefined,
    operation: string,
    owners: Iterable<Owner>,
  ): Promise<VolumeWriter> {
    if (folder !== undefined && (await mayActFor(owners))) return new FolderWriter(volume, folder);
    const engine = await this.#places.engine();
    const helper = await startHelper(this.#places, volume, operation);
    return new HelperVolumeWriter({ engine, helper, volume, signal: this.#places.signal });
  }
}

const later: readonly string[] = ['notFound', 'refused', 'unexpected', 'engineUnreachable'];

/** `AIXCL_HOME/going`: a note a volume that is being taken away. */
export function goingFolder(home: string): string {
  return join(home, 'going');
}
