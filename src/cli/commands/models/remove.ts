import type { Arguments } from 'yargs';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { AixclError } from '../../../errors.ts';
import { standingOf } from '../../../models/active-model.ts';
import { type Found, findKept, shownSubject } from '../../../models/find-kept.ts';
import { observeRemoval } from '../../../models/observe-remove.ts';
import { type ObservedRemoval, planRemove } from '../../../models/plan-remove.ts';
import { obstacleToRestore } from '../../../models/restore-obstacle.ts';
import type { Damage } from '../../../models/save-going.ts';
import { originOfSnapshot } from '../../../models/sources.ts';
import { shellWord } from '../../../shell-word.ts';
import { heldUntil } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import { proveRemoving, type Removing, removeSaved, staysRefused } from '../../../wiring/models/removing.ts';
import { settleFirst, vaultWithHands, withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { removalText } from './remove-text.ts';
import { runtimeOf } from './runtime.ts';

interface Removal extends Removing {
  damage: Damage | null;
}

const command = 'models remove';

/** `models remove NAME…`. */
export async function remove(context: Context, argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  await readableContents(vaultOf(context));
  const names = [...new Set([argv.name].flat().map(String))];
  const outcomes = new Outcomes(context.signal);
  const seen = await observe(context, names, argv, outcomes);
  const steps = planRemove(
    seen.map(({ observed }) => observed),
    { force: argv.force === true },
  );
  const removals: Removal[] = [];
  for (const [index, step] of steps.entries()) {
    const { found } = seen[index]!;
    if (step.kind === 'remove') removals.push({ step, found, damage: null });
    else outcomes.fail('remove', step.subject.name, staysRefused(step));
  }
  if (context.flags.dryRun) {
    for (const { step } of removals) outcomes.add(planned(step));
    report(context, outcomes, removals.map(({ step }) => removalText(step)).join('\n'));
    return;
  }
  await ask(context, removals);
  const agreed = await proveAll(context, removals, outcomes);
  const force = argv.force === true;
  const told = agreed.length > 0 ? await removeAll(context, agreed, force, outcomes) : [];
  report(context, outcomes, told.join('\n'));
}

async function observe(
  context: Context,
  names: readonly string[],
  argv: Arguments,
  outcomes: Outcomes,
): Promise<{ found: Found; observed: ObservedRemoval }[]> {
  const keepers = await keepersOf(context, runtimeOf(argv.runtime));
  const vault = vaultWithHands(context);
  const activation = await modelsDirectoryAt(context.home.models).activation();
  const seen: { found: Found; observed: ObservedRemoval }[] = [];
  for (const name of names) {
    try {
      const found = await findKept(keepers, name);
      const { subject } = found.model;
      if (seen.some(({ observed }) => observed.subject.name === subject.name)) continue;
      const gguf = subject.runtime === 'llama-server';
      const observed = await observeRemoval(found, vault, {
        active: gguf && standingOf(subject.name, activation) !== null,
        stopped: gguf ? null : await whyStopped(context, found),
        source: null,
      });
      seen.push({ found, observed: { ...observed, source: await sourceOf(context, found) } });
    } catch (error) {
      outcomes.fail('remove', name, error);
    }
  }
  return seen;
}

/** Why Ollama can't be asked to delete; a model whose manifest can't be read goes without being asked. */
async function whyStopped(context: Context, { model }: Found): Promise<string | null> {
  if (model.files.every(({ path }) => path.startsWith('manifests/'))) return null;
  const { ollamaOf } = await import('../../../wiring/ollama.ts');
  try {
    await (await ollamaOf(context)).runtime.version();
    return null;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'notRunning') return error.message;
    throw error;
  }
}

const sourceDeadlineMs = 1000;

/** Asked where someone reads it. */
async function sourceOf(context: Context, { keeper, model }: Found): Promise<ObservedRemoval['source']> {
  if (context.flags.yes && !context.flags.dryRun) return null;
  const source = await keeper.open(model, { partial: true });
  const { subject, files, facts } = source;
  await source[Symbol.asyncDispose]();
  const { sourcesOf } = await import('../../../wiring/sources.ts');
  const origin = originOfSnapshot({ subject, files, facts });
  const [state] = await sourcesOf(context, [origin], sourceDeadlineMs);
  return state ?? null;
}

async function ask(context: Context, removals: readonly Removal[]): Promise<void> {
  const [only, ...more] = removals;
  if (!only) return;
  if (!context.flags.yes || context.flags.format === 'table')
    for (const { step } of removals) context.out.note(removalText(step));
  const what = more.length > 0 ? `these ${removals.length} models` : shownSubject(only.step.subject);
  await context.confirm(`Remove ${what}? All of it goes into the vault first.`);
}

/** Before the vault is held, since it may take long: what nobody hashed yet. Damage that comes to light is asked about. */
async function proveAll(
  context: Context,
  removals: readonly Removal[],
  outcomes: Outcomes,
): Promise<Removal[]> {
  const agreed: Removal[] = [];
  for (const removal of removals) {
    const { step } = removal;
    const { name } = step.subject;
    try {
      removal.damage = await proveRemoving(context, removal);
      if (removal.damage && step.damage === null) {
        context.out.warn(`${name} is damaged: ${removal.damage.why}`);
        await context.confirm(
          `Remove ${name} as it is? Its bytes are kept, and do not count as a good backup.`,
        );
      }
      agreed.push(removal);
    } catch (error) {
      outcomes.fail('remove', name, error);
    }
  }
  return agreed;
}

/** Answers what to tell of those that are gone. */
async function removeAll(
  context: Context,
  removals: readonly Removal[],
  force: boolean,
  outcomes: Outcomes,
): Promise<string[]> {
  const told: string[] = [];
  const targets = removals.map(({ step }) => step.subject.name);
  await withOperation(context, { command, targets }, async (work) => {
    for (const removal of removals) {
      const { name } = removal.step.subject;
      try {
        const how = { command, damage: removal.damage, evenDamaged: context.flags.yes, force };
        const snapshot = await removeSaved(context, removal, work, how);
        outcomes.add(done(snapshot));
        told.push(keptText(snapshot, await obstacleToRestore(snapshot, snapshot.subject, work.vault)));
      } catch (error) {
        outcomes.fail('remove', name, error);
      }
    }
    outcomes.tell(work);
  });
  return told;
}

function planned(step: Removal['step']) {
  const { subject, because, size, takes, stays, damage, source } = step;
  return {
    kind: 'remove',
    target: subject.name,
    outcome: 'planned' as const,
    because,
    runtime: subject.runtime,
    size,
    takes,
    stays,
    damage,
    source,
  };
}

function done(snapshot: Snapshot) {
  return {
    kind: 'remove',
    target: snapshot.subject.name,
    outcome: 'done' as const,
    because: `held as ${snapshot.id} until ${heldUntil(snapshot.created)} at least`,
    backup: snapshot.id,
    verified: snapshot.verified?.toISOString() ?? null,
    damage: snapshot.damage,
  };
}

/** `obstacle`: why it can't be brought back as the model that it was. */
function keptText({ id, subject, created, damage, verified }: Snapshot, obstacle: string | null): string {
  const until = heldUntil(created);
  const state = damage
    ? `, damaged as it was (${damage}): it is no good backup`
    : verified === null
      ? ', not hashed yet: aixcl backups verify does'
      : '';
  return [
    `removed ${shownSubject(subject)}; the vault holds it as ${id} until ${until} at least${state}`,
    obstacle === null
      ? '  to bring it back:    aixcl undo'
      : `  to have its files:   aixcl backups restore ${id} --to DIR   (as a model it can't be brought back)`,
    `  to free its space:   aixcl backups delete ${id} --confirm ${shellWord(subject.name)}`,
  ].join('\n');
}

function report(context: Context, outcomes: Outcomes, text: string): void {
  if (!outcomes.onlyFailed) {
    const failed = outcomes.steps.filter(({ outcome }) => outcome === 'failed');
    const lines = failed.map(({ target, because }) => context.out.paint.bad(`failed ${target}: ${because}`));
    const { steps, changed } = outcomes;
    const shown = [...(text ? [text] : []), ...lines].join('\n');
    context.out.result({ command, changed, steps }, shown);
  }
  outcomes.end('could not be removed');
}
