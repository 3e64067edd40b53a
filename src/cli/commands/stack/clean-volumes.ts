import { changeOverlay } from '../../../adapters/overlay-file.ts';
import { partLinks } from '../../../adapters/swap/part-links.ts';
import type { VolumeKeeper } from '../../../adapters/volumes/keeper.ts';
import type { KeptVolume } from '../../../adapters/volumes/kept-volume.ts';
import { AixclError } from '../../../errors.ts';
import { takenAway } from '../../../models/plan-restore.ts';
import { usersOf } from '../../../stack/clean/observe-clean.ts';
import type { VolumeSummary } from '../../../stack/engine.ts';
import { withoutVolume } from '../../../stack/forget-volume.ts';
import { holdVolumes } from '../../../stack/volumes/hold-volumes.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import { coveredBy } from '../../../vault/cover.ts';
import { save } from '../../../vault/save.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { type SourceFile, sameSubject } from '../../../vault/subject.ts';
import type { VerifiedBackup } from '../../../vault/verified-backup.ts';
import type { Work } from '../../../wiring/operation.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';

/** From this size on to copy a file takes longer than the names that a link costs; smaller ones keep their owner and mode all the while. */
const worthALink = 1024 * 1024;

/** Saves volumes and takes them away, under the vault's lock. */
export class VolumeRemoval {
  readonly #context: Context;
  readonly #keeper: VolumeKeeper;
  readonly #work: Work;
  readonly #kept = new Map<string, KeptVolume>();

  constructor(context: Context, keeper: VolumeKeeper, work: Work) {
    this.#context = context;
    this.#keeper = keeper;
    this.#work = work;
  }

  /** Where it fails, the volume's files are as they were: parted from the vault, with their owners and modes. */
  async save({ name }: VolumeSummary): Promise<VerifiedBackup> {
    const kept = await this.#keeper.look(name);
    if (!kept) throw new AixclError('notFound', `the volume ${name} is gone`);
    this.#kept.set(name, kept);
    await this.#keeper.noteGoing(kept);
    try {
      return await working(this.#context, `Saving the volume ${name}`, kept.size, async (options) => {
        const source = await this.#keeper.open(kept);
        try {
          const earlier = await this.#savedBefore(kept);
          const way = (file: SourceFile) => wayOf(kept, file);
          const proof =
            earlier && (await coveredBy(source, earlier, { ...options, writer: this.#work.writer, way }));
          if (proof) return proof;
          return await save(source, {
            ...options,
            writer: this.#work.writer,
            backupType: 'pre_deletion',
            reason: 'removed by aixcl stack clean',
            operation: this.#work.operation.id,
            created: new Date(),
            way,
            facts: takenAway,
          });
        } finally {
          await source[Symbol.asyncDispose]();
        }
      });
    } catch (error) {
      await this.#giveBack(kept);
      throw error;
    }
  }

  /** What a killed command saved of it, and began to take away: that it holds all, also what is gone already. */
  async #savedBefore(kept: KeptVolume): Promise<Snapshot | undefined> {
    const { snapshots } = await this.#work.vault.contents();
    const newest = snapshots.find(({ subject }) => sameSubject(subject, kept.subject));
    if (newest?.facts.taken !== true || newest.undone !== null || newest.damage !== null) return undefined;
    return (await this.#keeper.isPartOf(kept, newest)) ? newest : undefined;
  }

  async letGo({ name }: VolumeSummary): Promise<void> {
    const { home, signal } = this.#context;
    const [engine, definition] = await Promise.all([this.#context.engine(), this.#context.definition()]);
    const images = imagesAtHand(definition, { containers: await engine.listContainers() });
    await holdVolumes(engine, { home: home.root, hold: [], letGo: [name], images, signal });
  }

  async remove({ name }: VolumeSummary, proof: VerifiedBackup): Promise<void> {
    const kept = this.#kept.get(name);
    if (!kept) throw new Error(`${name} was not saved`);
    const { flags, home } = this.#context;
    // Before the volume goes: a declaration of one that is gone would be in the next start's way, one that lacks is made again.
    if (flags.files.length === 0)
      await changeOverlay(home.overlayFile, (overlay) => withoutVolume(overlay, name));
    try {
      await this.#assertUnused(kept);
      await this.#keeper.remove(kept, proof);
    } catch (error) {
      await this.#giveBack(kept);
      throw error;
    }
    await this.#keeper.forgetGoing(kept);
  }

  /** Who was to go and did not, or came meanwhile: the files are not taken from under it. */
  async #assertUnused({ volume }: KeptVolume): Promise<void> {
    const engine = await this.#context.engine();
    const [user] = usersOf(volume, await engine.listContainers());
    if (!user) return;
    throw new AixclError('refused', `the volume ${volume.name} stays: the container ${user.name} uses it`, {
      hint: `docker inspect ${user.name}`,
    });
  }

  /** Where the command was interrupted, the next one does it. */
  async #giveBack(kept: KeptVolume): Promise<void> {
    const { signal, out } = this.#context;
    if (signal.aborted || kept.folder === undefined) return;
    const { writer, operation } = this.#work;
    await partLinks([kept.folder], writer, {
      signal,
      step: (path, because) => operation.step('part', path, because),
      warn: (line) => out.warn(line),
    });
    await this.#keeper.settleGoing();
  }
}

function wayOf({ saved }: KeptVolume, { path, size }: SourceFile): 'link' | 'copy' {
  const names = saved.files.find((file) => file.path === path)?.names ?? 1;
  return size >= worthALink && names === 1 ? 'link' : 'copy';
}
