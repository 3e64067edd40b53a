import type { Arguments } from 'yargs';
import { reapHelpers } from '../../../adapters/abandoned-helpers.ts';
import type { VolumeKeeper } from '../../../adapters/volumes/keeper.ts';
import type { Operation } from '../../../plan/journal.ts';
import {
  applyClean,
  type Cleaned,
  type CleanHands,
  plannedOutcomes,
  targetOf,
} from '../../../stack/clean/clean.ts';
import { type CleanStep, planClean } from '../../../stack/clean/plan-clean.ts';
import { holdVolumes } from '../../../stack/volumes/hold-volumes.ts';
import { journalled } from '../../../wiring/journalled.ts';
import { type Work, withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { volumeKeeperOf } from '../../../wiring/volumes.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { givenBack } from '../../typed-name.ts';
import { observeClean } from './clean-observe.ts';
import { cleanedText, cleanPlanText } from './clean-text.ts';
import { VolumeRemoval } from './clean-volumes.ts';
import { operationWish } from './operation-wish.ts';
import { number } from './selection.ts';
import { turnOf } from './turn.ts';

const command = 'stack clean';

/** `stack clean`: removes what is ours and can be made again; with `--volumes` also volumes that hold something, once that is saved. */
export async function clean(context: Context, argv: Arguments): Promise<void> {
  const keeper = volumeKeeperOf(context);
  const asked = await askedVolumes(context, [argv.volumes ?? []].flat().map(String));
  if (asked.length > 0) await readableContents(vaultOf(context));
  const seen = await observeClean(context, keeper, asked);
  const plan = planClean(seen, { volumes: asked });
  const goes = !plan.every(takesNothing);
  const text = cleanPlanText(plan);
  if (context.flags.dryRun || !goes) {
    return context.out.result({ command, changed: false, steps: plannedOutcomes(plan) }, text);
  }
  context.out.note(text);
  await givenBack(asked, [argv.confirm ?? []].flat().map(String), {
    question: (name) => `To have the volume ${name} saved and taken away, type ${name}:`,
    interactive: context.isTerminal,
    signal: context.signal,
  });
  await context.confirm('Remove all this?');
  await hashAhead(context, keeper, plan);

  /** What came while the question was open stays. */
  const again = async () => {
    const now = planClean(await observeClean(context, keeper, asked, seen.asked), { volumes: asked });
    return now.filter((step) => takesNothing(step) || plan.some((one) => same(one, step)));
  };
  const hands = async (operation: Operation, own: Pick<CleanHands, 'save' | 'letGo' | 'removeSaved'>) => {
    const engine = await context.engine();
    return {
      engine,
      signal: context.signal,
      note: operation.step,
      progress: context.progress,
      timeout: number(argv.timeout),
      hold: async (hold, images) => {
        await holdVolumes(engine, { home: context.home.root, hold, images, signal: context.signal });
      },
      reapHelper: async ({ name }) =>
        (await reapHelpers(engine, context.home.root, operation.id)).includes(name),
      ...own,
    } satisfies CleanHands;
  };
  const wish = operationWish(context, argv, 'clean');
  const cleaned = await turnOf(context, command).hold(() =>
    asked.length > 0
      ? withOperation(context, { ...wish, targets: asked }, async (work) => {
          const removal = new VolumeRemoval(context, keeper, work);
          const own = {
            save: removal.save.bind(removal),
            letGo: removal.letGo.bind(removal),
            removeSaved: removal.remove.bind(removal),
          };
          return tell(work, await applyClean(await again(), await hands(work.operation, own)));
        })
      : journalled(context, { ...wish, evenUnwritten: true }, async (noted) =>
          tell(noted, await applyClean(await again(), await hands(noted.operation, nothingSaved))),
        ),
  );
  report(context, cleaned);
}

/** Names on the engine; what is none there may be the definition's word for one. */
async function askedVolumes(context: Context, given: readonly string[]): Promise<string[]> {
  if (given.length === 0) return [];
  const [engine, { volumes }] = await Promise.all([context.engine(), context.definition()]);
  const names = given.map(async (name) =>
    (await engine.inspectVolume(name)) ? name : (volumes.get(name)?.name ?? name),
  );
  return [...new Set(await Promise.all(names))];
}

/** What is hashed while all still runs need not be when it stands. Only of what the vault takes over: the rest is hashed as it is copied. */
async function hashAhead(context: Context, keeper: VolumeKeeper, plan: readonly CleanStep[]): Promise<void> {
  for (const step of plan) {
    if (step.kind !== 'save-volume' || step.asked.folder === undefined) continue;
    const { name } = step.volume;
    const kept = await keeper.look(name);
    if (!kept) continue;
    await working(context, `Hashing the volume ${name}`, kept.size, (options) =>
      keeper.verify(kept, options),
    );
  }
}

function takesNothing({ kind }: CleanStep): boolean {
  return kind === 'keep' || kind === 'hold-volumes';
}

function same(a: CleanStep, b: CleanStep): boolean {
  const keyOf = (step: CleanStep) =>
    step.kind === 'remove-container' || step.kind === 'remove-helper' ? step.container.id : targetOf(step);
  return a.kind === b.kind && keyOf(a) === keyOf(b);
}

const nothingSaved: Pick<CleanHands, 'save' | 'letGo' | 'removeSaved'> = {
  save: never,
  letGo: never,
  removeSaved: never,
};

async function never(): Promise<never> {
  throw new Error('no volume was asked for');
}

function tell(work: Pick<Work, 'failed'>, cleaned: Cleaned): Cleaned {
  outcomesOf(cleaned).tell(work);
  return cleaned;
}

function report(context: Context, cleaned: Cleaned): void {
  const outcomes = outcomesOf(cleaned);
  const { outcomes: steps, saved } = cleaned;
  context.out.result({ command, changed: outcomes.changed, steps }, cleanedText(steps, saved));
  outcomes.end('could not be removed');
}

function outcomesOf({ outcomes: steps, failures }: Cleaned): Outcomes {
  // What was interrupted is no outcome, and was thrown before.
  const outcomes = new Outcomes(new AbortController().signal);
  const causes = [...failures];
  for (const step of steps) {
    if (step.outcome === 'failed') outcomes.fail(step.kind, step.target, causes.shift());
    else outcomes.add(step);
  }
  return outcomes;
}
