import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { type Found, listKept, shownSubject } from '../../../models/find-kept.ts';
import { lostModels } from '../../../models/lost-runtimes.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import { backUp } from '../../../vault/save.ts';
import { type BackupType, backupTypes, type Snapshot } from '../../../vault/snapshot.ts';
import type { Source } from '../../../vault/subject.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import { locate } from '../../../wiring/models/locate.ts';
import { settleFirst, type Work, withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { bytes } from '../../output/quantity.ts';
import { runtimeOf } from '../models/runtime.ts';

const command = 'backups create';

interface Wish {
  readonly backupType: BackupType;
  readonly reason: string;
  /** Re-hash what the vault has already. */
  readonly recheck: boolean;
}

/** `backups create [MODEL|DIR…]`: all models, or those named. One that can't be saved does not keep the others from it. */
export async function create(context: Context, argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  await readableContents(vaultOf(context));
  const names = [...new Set([argv.names ?? []].flat().map(String))];
  const wish: Wish = {
    backupType: typeOf(argv.type),
    reason: argv.reason === undefined ? '' : String(argv.reason),
    recheck: argv.verify === true,
  };
  const outcomes = new Outcomes(context.signal);
  const found =
    names.length > 0 ? await named(context, names, argv, outcomes) : await all(context, argv, outcomes);
  const saved: Snapshot[] = [];
  if (context.flags.dryRun) for (const each of found) outcomes.add(planned(each));
  else if (found.length > 0) {
    const targets = found.map(({ model }) => model.subject.name);
    await withOperation(context, { command, targets }, async (work) => {
      for (const each of found) {
        const { name } = each.model.subject;
        try {
          const snapshot = await backUpOne(context, each, wish, work);
          if (snapshot.damage !== null) throw keptAsItIs(snapshot, snapshot.damage);
          saved.push(snapshot);
          outcomes.add(done(snapshot));
        } catch (error) {
          outcomes.fail('backup', name, error);
        }
      }
      outcomes.tell(work);
    });
  }
  report(context, outcomes, saved, names.length === 0);
}

async function named(
  context: Context,
  names: readonly string[],
  argv: Arguments,
  outcomes: Outcomes,
): Promise<Found[]> {
  const runtime = runtimeOf(argv.runtime);
  const found: Found[] = [];
  for (const name of names) {
    try {
      const one = await locate(context, name, runtime);
      const same = found.some(
        (each) =>
          each.model.subject.name === one.model.subject.name && each.keeper.runtime === one.keeper.runtime,
      );
      if (!same) found.push(one);
    } catch (error) {
      outcomes.fail('backup', name, error);
    }
  }
  return found;
}

/** Every model. A runtime that has none, though the vault holds models of it that nobody removed, has lost them: that is no success. */
async function all(context: Context, argv: Arguments, outcomes: Outcomes): Promise<Found[]> {
  const { snapshots } = await vaultOf(context).contents();
  const found: Found[] = [];
  for (const keeper of await keepersOf(context, runtimeOf(argv.runtime))) {
    try {
      const models = await listKept([keeper]);
      const lost = models.length === 0 ? lostModels(snapshots, keeper.runtime) : [];
      if (lost.length > 0) throw emptySource(keeper.runtime, lost);
      found.push(...models);
    } catch (error) {
      outcomes.fail('backup', keeper.runtime, error);
    }
  }
  return found;
}

function emptySource(runtime: string, lost: readonly Snapshot[]): AixclError {
  const names = lost.map(({ subject }) => shownSubject(subject)).join(', ');
  return new AixclError(
    'verification',
    `${runtime} has no model at all, though the vault holds ${names}, which aixcl did not remove: was its volume or its disk lost?`,
    { hint: `aixcl backups restore ${lost[0]?.id}` },
  );
}

async function backUpOne(
  context: Context,
  { keeper, model }: Found,
  { backupType, reason, recheck }: Wish,
  { operation, writer }: Work,
): Promise<Snapshot> {
  const { name } = model.subject;
  if (model.damage !== null) throw damaged(name, model.damage);
  await operation.step('backup', name, reason || 'asked for');
  const source = await keeper.open(model);
  try {
    return await working(context, `Saving ${quoted(name)}`, model.size, (options) =>
      backUp(source, {
        ...options,
        writer,
        backupType,
        reason,
        recheck,
        // A file that was written to in place may be what its owner wants; it is kept, and is no good copy of what it was.
        damaged: model.subject.runtime === 'llama-server' ? 'keep' : 'refuse',
        operation: operation.id,
        created: new Date(),
      }),
    );
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
    throw await causeOf(context, { keeper, model }, source, error);
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/**
 * What did not fit together: a model that changed meanwhile, one that hashing finds damaged, or else the vault, of which the error itself
 * tells. Nobody knows what the bytes of a folder should be, so it is never damaged.
 */
async function causeOf(
  context: Context,
  { keeper, model }: Found,
  source: Source,
  error: AixclError,
): Promise<unknown> {
  const changed = await source.assertUnchanged().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (changed !== undefined) return changed;
  const { name } = model.subject;
  const wrong = await working(context, `Checking ${quoted(name)}`, model.size, (options) =>
    keeper.verify(model, options),
  );
  if (wrong.length === 0) return error;
  return damaged(name, wrong.map(({ path, why }) => `${path}: ${why}`).join('; '));
}

function damaged(name: string, why: string): AixclError {
  return new AixclError('verification', `${quoted(name)} is damaged, and is no good backup: ${why}`, {
    hint: `aixcl models verify ${shellWord(name)} --repair`,
  });
}

function keptAsItIs({ id, subject: { name } }: Snapshot, damage: string): AixclError {
  return new AixclError(
    'verification',
    `${quoted(name)} is not what was added; as it is, it is kept as ${id}: ${damage}`,
    {
      hint: `aixcl models verify ${shellWord(name)} --repair; or, if it was changed on purpose, give it a file of its own: cp ${shellWord(name)} NEW, mv NEW ${shellWord(name)}`,
    },
  );
}

function typeOf(value: unknown): BackupType {
  return backupTypes.find((type) => type === value) ?? 'emergency';
}

function planned({ model }: Found) {
  return {
    kind: 'backup',
    target: model.subject.name,
    outcome: 'planned' as const,
    because: `${bytes(model.size)} of ${model.subject.runtime}; what the vault has already is not copied`,
    size: model.size,
  };
}

function done(snapshot: Snapshot) {
  const { id, subject, size } = snapshot;
  return {
    kind: 'backup',
    target: subject.name,
    outcome: 'done' as const,
    because: `saved as ${id}, ${bytes(size)}`,
    backup: id,
    verified: snapshot.verified?.toISOString() ?? null,
  };
}

function report(context: Context, outcomes: Outcomes, saved: readonly Snapshot[], everything: boolean): void {
  const { steps, changed } = outcomes;
  if (!outcomes.onlyFailed) {
    const lines = steps.map(({ target, outcome, because }) => {
      if (outcome === 'failed') return context.out.paint.bad(`failed ${target}: ${because}`);
      return outcome === 'done' ? `${target}: ${because}` : `would save ${target}: ${because}`;
    });
    if (steps.length === 0 && everything) lines.push('there are no models to save');
    context.out.result({ command, changed, steps }, lines.join('\n'));
  }
  outcomes.end(`could not be saved${saved.length > 0 ? `; ${saved.length} are` : ''}`);
}
