import type { Arguments } from 'yargs';
import { makeHomeFolder } from '../../../adapters/home-folder.ts';
import { heldBytes } from '../../../adapters/models-directory/collection.ts';
import { intakeInto } from '../../../adapters/models-directory/intake.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import { type AddReporter, applyAdd, observeStanding } from '../../../models/add.ts';
import type { Intake } from '../../../models/intake.ts';
import { isProjectorName } from '../../../models/model-name.ts';
import { observeOrder } from '../../../models/order.ts';
import { type AddPlan, type AddStep, type ObservedOrder, planAdd } from '../../../models/plan-add.ts';
import { parseSource, shownSource } from '../../../models/source.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';

interface AddOptions {
  readonly as?: string | undefined;
  readonly sha256?: string | undefined;
}

/** `models add SOURCE…`. */
export async function add(context: Context, argv: Arguments): Promise<void> {
  const sources = Array.isArray(argv.source) ? argv.source.map(String) : [String(argv.source)];
  const options = { as: text(argv.as), sha256: parseSha256(text(argv.sha256)) };
  const given = Object.entries(options).find(([, value]) => value !== undefined);
  if (sources.length > 1 && given) {
    throw new AixclError('usage', `--${given[0]} is for one source, not for ${sources.length}`, {
      hint: 'Add them one by one.',
    });
  }
  await addSources(context, sources, options);
}

/**
 * Brings models in, each with its own outcome. Throws when one failed: its own error when all did, else `partly`; and whatever nobody
 * foresaw, or the lack of space, once the outcomes are told.
 */
export async function addSources(
  context: Context,
  sources: readonly string[],
  options: AddOptions = {},
): Promise<void> {
  const intake = intakeInto(context.home.models);
  const reporter = reporterOf(context);
  const outcomes: StepOutcome[] = [];
  const failures: unknown[] = [];
  const fail = (target: string, error: unknown) => {
    context.signal.throwIfAborted();
    outcomes.push({ kind: 'add', target, outcome: 'failed', because: reasonOf(error) });
    failures.push(error);
  };

  const observed: ObservedOrder[] = [];
  for (const source of sources) {
    try {
      observed.push(await observe(context, intake, reporter, source, options));
    } catch (error) {
      fail(shownSource(source), error);
    }
  }
  const plan = planAdd(observed, await intake.space());
  const { dryRun } = context.flags;
  const full = lackOfSpace(context, plan);
  if (plan.tight && !full) await consent(context, plan);
  if (!dryRun && !full && plan.steps.some((step) => step.kind === 'add'))
    await makeHomeFolder(context.home.models, context.home);
  for (const step of plan.steps) {
    try {
      if (step.kind === 'add' && full) throw full;
      const only = step.kind === 'add' && dryRun;
      outcomes.push(
        only ? planned(step) : await applyAdd(step, intake, { signal: context.signal, reporter }),
      );
    } catch (error) {
      fail(nameOf(step), error);
    }
  }
  report(context, outcomes, failures, full);
}

async function observe(
  context: Context,
  intake: Intake,
  reporter: AddReporter,
  text: string,
  options: AddOptions,
): Promise<ObservedOrder> {
  const { signal } = context;
  const order = await observeOrder(parseSource(text), intake, { ...options, signal });
  const [file] = order.files;
  if (
    file?.location.kind === 'path' &&
    !order.folder &&
    !file.location.path.endsWith(text.replace(/^\.\//, ''))
  ) {
    context.out.note(`${text} leads to ${file.location.path}, which is what is copied`);
  }
  const standing = await observeStanding(order, intake, { signal, reporter });
  return { order, standing, held: await heldBytes(context.home.models, order) };
}

function lackOfSpace({ home }: Context, plan: AddPlan): AixclError | undefined {
  if (plan.left >= 0 || plan.needed === 0) return undefined;
  return new AixclError(
    'noSpace',
    `${bytes(plan.needed)} are needed on the disk of ${home.models}, which has ${bytes(plan.left + plan.needed)} free`,
    { hint: 'Make room, or move the models: AIXCL_MODELS_DIR=/PATH' },
  );
}

/** Asks about what would nearly fill the disk; a dry run tells that it would be asked. */
async function consent(context: Context, plan: AddPlan): Promise<void> {
  const fact = `This brings in ${bytes(plan.needed)} and leaves ${bytes(plan.left)} on the disk of ${context.home.models}, less than a tenth of it.`;
  if (context.flags.dryRun) return context.out.note(`${fact} It would be asked whether to go on.`);
  await context.confirm(`${fact} Go on?`);
}

const words = {
  done: 'added',
  kept: 'kept',
  failed: 'failed',
  skipped: 'skipped',
  planned: 'would add',
};

function report(
  context: Context,
  outcomes: readonly StepOutcome[],
  failures: readonly unknown[],
  full: AixclError | undefined,
): void {
  // A lone failure is told by its error alone, with the hint that belongs to it.
  if (failures.length === 1 && outcomes.length === 1) throw failures[0];
  const added = outcomes.filter(({ outcome }) => outcome === 'done');
  const lines = outcomes.map((step) => {
    if (step.outcome === 'done') return `added ${step.target}`;
    const line = `${words[step.outcome]} ${step.target}: ${step.because}`;
    return step.outcome === 'failed' ? context.out.paint.bad(line) : line;
  });
  const toServe = added.find(({ target }) => !isProjectorName(target));
  if (toServe) lines.push(`next: aixcl models activate ${toServe.target}`);
  context.out.result({ command: 'models add', changed: added.length > 0, steps: outcomes }, lines.join('\n'));

  const known = failures.filter((failure) => failure instanceof AixclError);
  if (known.length < failures.length) throw failures.find((failure) => !(failure instanceof AixclError));
  const [first] = known;
  if (full) throw full;
  if (!first) return;
  if (known.length === outcomes.length) throw first;
  throw new AixclError('partly', `${known.length} of ${outcomes.length} could not be added`, {
    hint: first.hint,
    evidence: known.map((failure) => failure.message),
  });
}

function planned(step: AddStep & { kind: 'add' }): StepOutcome {
  const size = step.bytes === null ? '' : ` (${bytes(step.bytes)})`;
  return { kind: 'add', target: nameOf(step), outcome: 'planned', because: step.because + size };
}

function nameOf(step: AddStep): string {
  return step.kind === 'add' ? step.order.name : step.name;
}

function reporterOf(context: Context): AddReporter {
  return {
    begin(label, total) {
      const task = context.progress.start(label, total ?? undefined);
      return {
        update: (done) => task.update({ done }),
        end: (ok) => (ok ? task.succeed() : task.fail()),
      };
    },
  };
}

function parseSha256(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const hex = value.replace(/^sha256:/i, '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new AixclError('usage', '--sha256 takes 64 hex digits', { hint: 'sha256sum FILE' });
}

/** The last one, of an option that was given twice. */
function text(value: unknown): string | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}
