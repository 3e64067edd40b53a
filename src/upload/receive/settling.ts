import { onDisk } from '../../adapters/models-directory/disk-errors.ts';
import { AixclError } from '../../errors.ts';
import { mainFileOf } from '../../models/model-files.ts';
import { quoted } from '../../models/model-name.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { problemOf } from '../problem.ts';
import { checkBytes } from './check-bytes.ts';
import { orderOf, publish } from './publish.ts';
import type { Upload } from './upload.ts';

export interface SettlingPlace {
  /** All uploads that are there. */
  all(): readonly Upload[];
  /** It is a model now, or the same bytes were one: takes it off the list and the disk. */
  done(upload: Upload): Promise<void>;
  changed(): void;
}

/** Checks uploads whose last byte came, one at a time, and gives names to those that are right. */
export class Settling {
  readonly #context: Surroundings;
  readonly #place: SettlingPlace;
  readonly #waiting: Upload[] = [];
  #current: Settled | undefined;
  #stopped = false;

  constructor(context: Surroundings, place: SettlingPlace) {
    this.#context = context;
    this.#place = place;
  }

  /** The check of a whole upload is begun, or waits for its turn. */
  begin(upload: Upload): void {
    if (this.#stopped || this.#waiting.includes(upload) || this.#current?.of.has(upload)) return;
    upload.phase = 'checking';
    upload.checked = 0;
    this.#waiting.push(upload);
    this.#place.changed();
    this.#next();
  }

  /** Resolves when nothing is being done with it. */
  async stop(upload: Upload): Promise<void> {
    const index = this.#waiting.indexOf(upload);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (!this.#current?.of.has(upload)) return;
    this.#current.stop.abort();
    await this.#current.ended;
  }

  async stopAll(): Promise<void> {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#current?.stop.abort();
    await this.#current?.ended;
  }

  #next(): void {
    if (this.#current) return;
    const upload = this.#waiting.shift();
    if (!upload) return;
    const stop = new AbortController();
    const of = new Set([upload]);
    const ended = this.#settle(upload, of, AbortSignal.any([stop.signal, this.#context.signal])).finally(
      () => {
        this.#current = undefined;
        this.#place.changed();
        this.#next();
      },
    );
    this.#current = { of, stop, ended };
  }

  async #settle(upload: Upload, of: Set<Upload>, signal: AbortSignal): Promise<void> {
    try {
      await onDisk(this.#context.home.models, () => checkBytes(upload, signal));
      const files = filesWith(upload, this.#place.all());
      if (!files) {
        upload.phase = 'parts';
        return;
      }
      for (const each of files) of.add(each);
      const agreed = files.some((each) => each.agreed);
      const outcome = await publish({ ...this.#context, signal }, orderOf(files), { agreed });
      for (const each of files) {
        if (outcome === 'exists') each.phase = 'exists';
        else await this.#place.done(each);
      }
    } catch (error) {
      if (!signal.aborted) await refuse(upload, of, error);
    }
  }
}

interface Settled {
  /** The upload that is checked, and those whose name it shares. */
  readonly of: ReadonlySet<Upload>;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** All files of the model that `upload` is, or is a part of; undefined while some are missing. */
function filesWith(upload: Upload, all: readonly Upload[]): Upload[] | undefined {
  const { model, parts } = upload.about;
  if (parts === null) return [upload];
  const byName = new Map<string, Upload>();
  for (const other of all) {
    if (other.about.model !== model || other.about.parts !== parts) continue;
    if (other.phase === 'parts' || other.phase === 'exists') byName.set(other.about.file, other);
  }
  byName.set(upload.about.file, upload);
  if (byName.size < parts) return undefined;
  if (byName.size === parts) {
    assertOneModel(model, [...byName.keys()]);
    return [...byName.values()];
  }
  throw new AixclError('refused', `${quoted(model)} has ${parts} files, and this is one more than that`, {
    hint: 'Clear the one that does not belong to it.',
  });
}

function assertOneModel(name: string, files: readonly string[]): void {
  const chosen = mainFileOf(files);
  if ('main' in chosen) return;
  throw new AixclError('verification', `${quoted(name)} would be no model: ${chosen.problem}`, {
    hint: 'Clear the files that do not belong to it.',
  });
}

/**
 * It alone: the others of its model are as right as they were. What was agreed was agreed about what stood there then. One of which the disk lost
 * bytes has to be sent again from there.
 */
async function refuse(upload: Upload, of: ReadonlySet<Upload>, error: unknown): Promise<void> {
  upload.phase = upload.whole ? 'refused' : 'receiving';
  for (const each of of) {
    const problem = each === upload ? problemOf(error) : each.problem;
    // Where the disk is full, what is in memory tells it.
    await each.note({ agreed: false, problem }).catch(() => {});
  }
}
