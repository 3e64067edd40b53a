import type { Arguments } from 'yargs';
import { AixclError, reasonOf } from '../../../errors.ts';
import { type Found, findKept, listKept } from '../../../models/find-kept.ts';
import type { DamagedFile } from '../../../models/keeper.ts';
import { quoted } from '../../../models/model-name.ts';
import { type Repaired, type RepairPorts, repairModel } from '../../../models/repair.ts';
import type { Operation } from '../../../plan/journal.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { journalled } from '../../../wiring/journalled.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import { holdingVault, vaultWithHands } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { runtimeOf } from './runtime.ts';

interface Checked {
  readonly found: Found;
  readonly damaged: readonly DamagedFile[];
}

/** `models verify [NAME…] [--repair]`. Throws `verification` while damage remains. */
export async function verify(context: Context, argv: Arguments): Promise<void> {
  const wanted = await chosen(context, argv);
  const outcomes: StepOutcome[] = [];
  const failures: unknown[] = [];
  const fail = (target: string, error: unknown) => {
    context.signal.throwIfAborted();
    outcomes.push({ kind: 'verify', target, outcome: 'failed', because: reasonOf(error) });
    failures.push(error);
  };
  const checked: Checked[] = [];
  for (const found of wanted) {
    try {
      checked.push({ found, damaged: await check(context, found) });
    } catch (error) {
      fail(found.model.subject.name, error);
    }
  }
  const bad = checked.filter(({ damaged }) => damaged.length > 0);
  for (const { found, damaged } of checked) {
    if (damaged.length === 0) outcomes.push(whole(found));
  }
  const repair = argv.repair === true && !context.flags.dryRun;
  const remains = repair ? await repairAll(context, bad, outcomes) : told(context, argv, bad, outcomes);
  const changed = outcomes.some(({ kind, outcome }) => kind === 'repair' && outcome === 'done');
  context.out.result({ command: 'models verify', changed, steps: outcomes }, textOf(context, outcomes));
  if (remains.length > 0) throw damageRemains(remains, argv.repair === true);
  if (failures.length > 0) throw failures[0];
}

async function chosen(context: Context, argv: Arguments): Promise<Found[]> {
  const keepers = await keepersOf(context, runtimeOf(argv.runtime));
  const names = [argv.name ?? []].flat().map(String);
  if (names.length === 0) return await listKept(keepers);
  const found: Found[] = [];
  for (const name of names) {
    const each = await findKept(keepers, name);
    if (!found.some(({ model }) => model.subject.name === each.model.subject.name)) found.push(each);
  }
  return found;
}

async function check(context: Context, { keeper, model }: Found): Promise<readonly DamagedFile[]> {
  const task = context.progress.start(`Checking ${quoted(model.subject.name)}`, model.size);
  try {
    const onProgress = (done: number) => task.update({ done });
    const damaged = await keeper.verify(model, { signal: context.signal, onProgress });
    if (damaged.length === 0) task.succeed();
    else task.fail('damaged');
    return damaged;
  } catch (error) {
    task.fail();
    throw error;
  }
}

interface Remains {
  readonly found: Found;
  readonly file: DamagedFile;
  /** Why it could not be repaired; empty when nobody tried. */
  readonly why: string;
}

/** What is damaged, and stays so; with `--dry-run --repair`, what would be tried. */
function told(
  { flags }: Context,
  argv: Arguments,
  bad: readonly Checked[],
  outcomes: StepOutcome[],
): Remains[] {
  const planned = argv.repair === true && flags.dryRun;
  return bad.flatMap(({ found, damaged }) =>
    damaged.map((file) => {
      const target = targetOf(found, file);
      outcomes.push({ kind: 'verify', target, outcome: 'failed', because: file.why });
      if (planned) {
        const because = 'right bytes are looked for in the vault, then at its source';
        outcomes.push({ kind: 'repair', target, outcome: 'planned', because });
      }
      return { found, file, why: '' };
    }),
  );
}

async function repairAll(
  context: Context,
  bad: readonly Checked[],
  outcomes: StepOutcome[],
): Promise<Remains[]> {
  if (bad.length === 0) return [];
  const targets = bad.map(({ found }) => found.model.subject.name);
  const wish = { command: 'models verify --repair', targets };
  return await journalled(context, wish, async ({ operation, failed }) => {
    const remains = await repairEach(context, operation, bad, outcomes);
    if (remains.length > 0) failed('partly', remains.map(({ why }) => why).join('; '));
    return remains;
  });
}

async function repairEach(
  context: Context,
  operation: Operation,
  bad: readonly Checked[],
  outcomes: StepOutcome[],
): Promise<Remains[]> {
  const remains: Remains[] = [];
  /** Who had a blob that is right again: two models may share one. */
  const right = new Map<string, string>();
  for (const { found, damaged } of bad) {
    const { name } = found.model.subject;
    try {
      const mended = damaged.filter(({ digest }) => digest !== null && right.has(digest));
      const left = damaged.filter((file) => !mended.includes(file));
      for (const file of mended) outcomes.push(sharedOutcome(found, file, right.get(file.digest!)!));
      const repaired = await repairOne(context, operation, { found, damaged: left });
      for (const each of repaired) {
        const { file, from, why } = each;
        if (from !== null && file.digest !== null) right.set(file.digest, name);
        outcomes.push(outcomeOf(found, each));
        if (from === null) remains.push({ found, file, why });
      }
    } catch (error) {
      context.signal.throwIfAborted();
      // Another one's work stands in the way, of this model as of all.
      if (error instanceof AixclError && error.code === 'busy') throw error;
      for (const file of damaged) {
        if (file.digest !== null && right.has(file.digest)) continue;
        const why = reasonOf(error);
        outcomes.push(outcomeOf(found, { file, from: null, setAside: false, why }));
        remains.push({ found, file, why });
      }
    }
  }
  return remains;
}

/** A manifest that came back names blobs that nobody has looked at yet; these are then hashed and repaired as well. */
async function repairOne(context: Context, operation: Operation, checked: Checked): Promise<Repaired[]> {
  const { found, damaged } = checked;
  const ports = portsFor(context, operation);
  const repaired = await repairModel(found, damaged, ports, context.signal);
  const cameBack = repaired.some(({ file, from }) => from !== null && file.path.startsWith('manifests/'));
  if (!cameBack) return repaired;
  const model = await found.keeper.find(found.model.subject.name);
  if (!model) return repaired;
  const again = { keeper: found.keeper, model };
  const more = await check(context, again);
  return [...repaired, ...(await repairModel(again, more, ports, context.signal))];
}

function portsFor(context: Context, operation: Operation): RepairPorts {
  return {
    vault: vaultWithHands(context),
    locked: (work) => holdingVault(context, 'models verify --repair', operation, work),
    async fetch(model, file) {
      const { fetchRightBytes } = await import('./fetch-right-bytes.ts');
      return await fetchRightBytes(context, model, file);
    },
    step: (target, because) => operation.step('repair', target, because),
  };
}

function whole({ model }: Found): StepOutcome {
  return { kind: 'verify', target: model.subject.name, outcome: 'done', because: 'every byte is right' };
}

function outcomeOf(found: Found, { file, from, setAside, why }: Repaired): StepOutcome {
  const target = targetOf(found, file);
  if (from === null) {
    return { kind: 'repair', target, outcome: 'failed', because: `${file.why}; ${why}` };
  }
  const kept = setAside ? ', the damaged ones are in quarantine' : '';
  const because = `${file.why}; right bytes from the ${from}${kept}`;
  return { kind: 'repair', target, outcome: 'done', because };
}

/** Of a file that was mended already, with that of the model `other`. */
function sharedOutcome(found: Found, file: DamagedFile, other: string): StepOutcome {
  const because = `${file.why}; it is right again with ${other}, which shares it`;
  return { kind: 'repair', target: targetOf(found, file), outcome: 'done', because };
}

function targetOf({ model }: Found, { path }: DamagedFile): string {
  return path === model.subject.name ? path : `${model.subject.name} ${path}`;
}

function textOf({ out }: Context, outcomes: readonly StepOutcome[]): string {
  if (outcomes.length === 0) return 'There is no model.';
  return outcomes
    .map(({ kind, target, outcome, because }) => {
      if (outcome === 'done') return kind === 'repair' ? `repaired ${target}: ${because}` : `ok ${target}`;
      if (outcome === 'planned') return `would repair ${target}: ${because}`;
      return out.paint.bad(`${kind === 'repair' ? 'not repaired' : 'damaged'} ${target}: ${because}`);
    })
    .join('\n');
}

function damageRemains(remains: readonly Remains[], tried: boolean): AixclError {
  const models = [...new Set(remains.map(({ found }) => found.model.subject.name))];
  const what =
    models.length === 1 ? `${quoted(models[0]!)} is damaged` : `${models.length} models are damaged`;
  const first = shellWord(models[0]!);
  return new AixclError('verification', what, {
    hint: tried
      ? `aixcl backups list --model ${first}, or get it anew: aixcl models add`
      : `aixcl models verify ${models.length === 1 ? `${first} ` : ''}--repair`,
    evidence: remains.map(
      ({ found, file, why }) => `${targetOf(found, file)}: ${[file.why, why].filter(Boolean).join('; ')}`,
    ),
  });
}
