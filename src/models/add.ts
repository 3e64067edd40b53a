import { AixclError } from '../errors.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { VerifiedBackup } from '../vault/verified-backup.ts';
import type { Collection, Intake, Order, OrderedFile, StandingRecord } from './intake.ts';
import { type ModelName, quoted } from './model-name.ts';
import type { AddStep, ObservedOrder } from './plan-add.ts';
import { shownUrl } from './source.ts';

export interface AddReporter {
  /** A piece of work on so many bytes; null when nobody knows how many. */
  begin(
    label: string,
    total: number | null,
  ): {
    /** `total` where it became known, or changed. */
    update(done: number, total?: number | null): void;
    end(ok: boolean): void;
  };
}

/** How the model that an order would bring compares with what stands under its name, as far as that can be told without fetching it. */
export async function observeStanding(
  order: Order,
  intake: Intake,
  options: { readonly signal: AbortSignal; readonly reporter: AddReporter },
): Promise<ObservedOrder['standing']> {
  const standing = await intake.standing(order.name);
  if (!standing) return 'none';
  let unknown = false;
  for (const file of order.files) {
    const key = order.folder ? file.name : '';
    const size = standing.get(key);
    if (size === undefined || size < 0 || (file.size !== null && file.size !== size)) return 'other';
    const compared = await compare(order, file, key, size, intake, options);
    if (compared === 'other') return 'other';
    unknown ||= compared === 'unknown';
  }
  return unknown ? 'unknown' : 'same';
}

async function compare(
  order: Order,
  file: OrderedFile,
  key: string,
  size: number,
  intake: Intake,
  options: { readonly signal: AbortSignal; readonly reporter: AddReporter },
): Promise<'same' | 'other' | 'unknown'> {
  const { location } = file;
  const { signal, reporter } = options;
  const here = await work(reporter, `Checking ${quoted(order.name)}`, size, (onProgress) =>
    intake.standingRecord(order.name, key, { signal, onProgress }),
  );
  if (file.sha256 !== null) return file.sha256 === here.sha256 ? 'same' : 'other';
  if (location.kind === 'http') {
    const version = file.version !== null && file.version === here.version;
    return version && here.source === shownUrl(location.url) ? 'same' : 'unknown';
  }
  const there = await work(reporter, `Checking ${quoted(file.name)}`, size, (onProgress) =>
    intake.hashLocal(location.path, { signal, onProgress }),
  );
  return there === here.sha256 ? 'same' : 'other';
}

export interface ApplyOptions {
  readonly signal: AbortSignal;
  readonly reporter: AddReporter;
  /**
   * Saves what stands under `name` as `pre_update`, under the vault's lock, and has it replaced with the proof. Null: no model stands there.
   * Absent: nothing is replaced.
   */
  replace?(
    name: ModelName,
    swap: (proof: VerifiedBackup, operation: string) => Promise<void>,
  ): Promise<Snapshot | null>;
}

/** Carries out one step; throws the AixclError that is its outcome when it fails. */
export async function applyAdd(step: AddStep, intake: Intake, options: ApplyOptions): Promise<StepOutcome> {
  if (step.kind === 'keep') {
    return { kind: 'keep', target: step.name, outcome: 'kept', because: step.because };
  }
  if (step.kind === 'refuse') throw served(step.name);
  const { order } = step;
  await using collection = await intake.collect(order);
  const records = new Map<string, StandingRecord>();
  for (const file of order.files) records.set(file.name, await bring(file, collection, options));
  try {
    await collection.check();
  } catch (error) {
    // What was fetched to the end and is no model would be found again by the next run.
    if (error instanceof AixclError && error.code === 'verification') await collection.discard();
    throw error;
  }
  if (await collection.publish(records)) {
    return { kind: 'add', target: order.name, outcome: 'done', because: step.because };
  }
  if (await sameAsStanding(order, records, intake, options.signal)) {
    await collection.discard();
    return { kind: 'keep', target: order.name, outcome: 'kept', because: 'the same bytes are there' };
  }
  // Whoever took the name since it was observed was not asked about.
  if (step.kind !== 'update' || !options.replace) {
    await collection.discard();
    throw taken(order.name);
  }
  const saved = await options.replace(order.name, (proof, operation) =>
    collection.replace(records, proof, operation),
  );
  if (!saved) {
    if (await collection.publish(records)) {
      return { kind: 'add', target: order.name, outcome: 'done', because: 'the name is free again' };
    }
    throw notAModel(order.name);
  }
  const because = `${step.because}; those before are kept as ${saved.id}`;
  return { kind: 'update', target: order.name, outcome: 'done', because };
}

/** Bytes from which on the hash over what landed takes long enough to be shown. */
const slowToHash = 256 * 2 ** 20;

async function bring(
  file: OrderedFile,
  collection: Collection,
  { signal, reporter }: { readonly signal: AbortSignal; readonly reporter: AddReporter },
): Promise<StandingRecord> {
  const { location } = file;
  let task = reporter.begin(
    `${location.kind === 'http' ? 'Fetching' : 'Copying'} ${quoted(file.name)}`,
    file.size,
  );
  let hashing = false;
  let ok = false;
  try {
    const sha256 = await collection.bring(file, {
      signal,
      onProgress: (done) => task.update(done),
      onHash(done, total) {
        if (total < slowToHash) return;
        if (!hashing) {
          task.end(true);
          task = reporter.begin(`Checking ${quoted(file.name)}`, total);
          hashing = true;
        }
        task.update(done);
      },
    });
    ok = true;
    return {
      sha256,
      source: location.kind === 'http' ? shownUrl(location.url) : null,
      version: file.version,
    };
  } finally {
    task.end(ok);
  }
}

async function sameAsStanding(
  order: Order,
  records: ReadonlyMap<string, StandingRecord>,
  intake: Intake,
  signal: AbortSignal,
): Promise<boolean> {
  const standing = await intake.standing(order.name);
  for (const file of order.files) {
    const key = order.folder ? file.name : '';
    if (!standing?.has(key) || standing.get(key) === -1) return false;
    const here = await intake.standingRecord(order.name, key, { signal });
    if (here.sha256 !== records.get(file.name)?.sha256) return false;
  }
  return true;
}

async function work<T>(
  reporter: AddReporter,
  label: string,
  total: number | null,
  run: (onProgress: (done: number) => void) => Promise<T>,
): Promise<T> {
  const task = reporter.begin(label, total);
  let ok = false;
  try {
    const result = await run((done) => task.update(done));
    ok = true;
    return result;
  } finally {
    task.end(ok);
  }
}

function served(name: string): AixclError {
  return new AixclError(
    'refused',
    `llama-server serves ${quoted(name)}, which has other bytes, so it stays`,
    {
      hint: 'Give the new one a name of its own (--as NAME), then: aixcl models activate NAME',
    },
  );
}

function notAModel(name: string): AixclError {
  return new AixclError('refused', `What stands under ${quoted(name)} is no model, and stays as it is`, {
    hint: 'Give the new one another name.',
  });
}

function taken(name: string): AixclError {
  return new AixclError('refused', `${quoted(name)} is there already with other bytes, and stays as it is`, {
    hint: 'Give the new one a name of its own: --as NAME',
  });
}
