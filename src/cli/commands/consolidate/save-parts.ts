import { type SavedPart, savedPart } from '../../../adapters/consolidation/saved-part.ts';
import { AixclError } from '../../../errors.ts';
import { type Found, shownSubject } from '../../../models/find-kept.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import { backUp } from '../../../vault/save.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Source } from '../../../vault/subject.ts';
import type { Work } from '../../../wiring/operation.ts';
import { makeVersion, type VersionRecords } from '../../../wiring/versions/versioning.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateSight } from './observe.ts';

/** Base and adapter, once each byte of them is known to lie in the vault. */
export interface SavedParts {
  /** Of the base, and of the adapter. */
  readonly backups: readonly [base: Snapshot, adapter: Snapshot];
  readonly adapterVersion: Snapshot;
  /** Of those of the two that are no longer what was saved. */
  changed(signal: AbortSignal): Promise<readonly Snapshot[]>;
}

/** Saves both, sees that they are saved, and makes the adapter's version. `saved`: gets each snapshot as it comes. Under the vault's lock. */
export async function saveParts(
  context: Context,
  { wish, base, adapter }: ConsolidateSight,
  records: VersionRecords,
  work: Work,
  saved: Snapshot[],
): Promise<SavedParts> {
  const reason = `before ${adapter.planned.found.model.subject.name} was merged into ${base.found.model.subject.name} as ${wish.output}`;
  const began = new Date();
  const parts: SavedPart[] = [];
  const save = async (found: Found) => {
    const source = await found.keeper.open(found.model);
    try {
      const snapshot = await backUpWhole(context, found, source, reason, work);
      parts.push(await savedPart(source, snapshot));
      saved.push(snapshot);
      return snapshot;
    } finally {
      await source[Symbol.asyncDispose]();
    }
  };
  const backups = [await save(base.found), await save(adapter.planned.found)] as const;
  await work.operation.step(
    'verify',
    backups.map(({ id }) => id).join(', '),
    'each byte was hashed in the vault',
  );
  for (const backup of backups) assertVerified(backup, began);
  const about = { ...records, baseModel: baseModelOf(backups[0]) };
  const adapterVersion = await makeVersion(context, adapter.planned, about, work, true);
  saved.push(adapterVersion);
  return {
    backups,
    adapterVersion,
    async changed(signal) {
      const others: Snapshot[] = [];
      for (const part of parts) if (!(await part.isAsSaved(signal))) others.push(part.backup);
      return others;
    },
  };
}

/** As the versions of adapter and merged model record it. */
export function baseModelOf({ subject, files }: Snapshot): VersionRecords['baseModel'] {
  const [only, ...more] = files;
  return { name: subject.name, digest: only && more.length === 0 ? only.digest : null };
}

async function backUpWhole(
  context: Context,
  { model }: Found,
  source: Source,
  reason: string,
  { operation, writer }: Work,
): Promise<Snapshot> {
  const { name } = model.subject;
  await operation.step('backup', name, reason);
  try {
    return await working(context, `Saving ${quoted(name)}`, model.size, (options) =>
      backUp(source, {
        ...options,
        writer,
        backupType: 'pre_consolidation',
        reason,
        operation: operation.id,
        created: new Date(),
        recheck: true,
        // Those of a run that failed, or was killed, serve this one too.
        unlessThere: true,
      }),
    );
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
    const word = shellWord(name);
    throw new AixclError(
      'verification',
      `${quoted(name)} can't be saved as it is, so nothing is merged: ${error.message}`,
      {
        hint:
          model.subject.runtime === 'directory'
            ? `ls -la ${word}`
            : `aixcl models verify ${word} --repair; or, if it was changed on purpose, give it a file of its own: cp ${word} NEW, mv NEW ${word}`,
        cause: error,
      },
    );
  }
}

/** All of it was hashed by this command, where it lies in the vault. */
function assertVerified({ id, subject, verified, damage }: Snapshot, began: Date): void {
  if (damage === null && verified !== null && verified >= began) return;
  throw new AixclError(
    'verification',
    `the backup ${id} of ${shownSubject(subject)} was not verified, so nothing is merged`,
    {
      hint: `aixcl backups verify ${id}`,
    },
  );
}
