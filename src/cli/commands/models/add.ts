import type { Arguments } from 'yargs';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { AddReporter } from '../../../models/add.ts';
import { isProjectorName } from '../../../models/model-name.ts';
import { type Room, roomFor } from '../../../models/room.ts';
import { parseSource, type Runtime, type Source, shownSource } from '../../../models/source.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { journalled } from '../../../wiring/journalled.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import type { AddItem, Batch, FailedSource } from './add-batch.ts';
import { runtimeOf } from './runtime.ts';

interface AddOptions {
  readonly as?: string | undefined;
  readonly sha256?: string | undefined;
  readonly runtime?: Runtime | undefined;
  /** Ollama may pull by plain http, whatever the host. */
  readonly insecure?: boolean;
}

/** `models add SOURCE…`. */
export async function add(context: Context, argv: Arguments): Promise<void> {
  const sources = Array.isArray(argv.source) ? argv.source.map(String) : [String(argv.source)];
  const single = { as: text(argv.as), sha256: parseSha256(text(argv.sha256)) };
  const given = Object.entries(single).find(([, value]) => value !== undefined);
  if (sources.length > 1 && given) {
    throw new AixclError('usage', `--${given[0]} is for one source, not for ${sources.length}`, {
      hint: 'Add them one by one.',
    });
  }
  const runtime = runtimeOf(text(argv.runtime));
  await addSources(context, sources, { ...single, runtime, insecure: argv.insecure === true });
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
  const outcomes: StepOutcome[] = [];
  const failures: unknown[] = [];
  const fail = (target: string, error: unknown) => {
    context.signal.throwIfAborted();
    outcomes.push({ kind: 'add', target, outcome: 'failed', because: reasonOf(error) });
    failures.push(error);
  };
  const batches = await plan(context, sources, options, ({ source, error }) => fail(source, error));
  const items = batches.flatMap((batch) => batch.items);
  const rooms = roomFor(batches.flatMap(({ needs }) => needs));
  const full = lackOfSpace(rooms);
  if (!full) await consent(context, items, rooms);

  const run = async (apply: (item: AddItem) => Promise<StepOutcome>) => {
    for (const item of items) {
      try {
        if (full && brings(item)) throw full;
        outcomes.push(await apply(item));
      } catch (error) {
        fail(item.target, error);
      }
    }
  };
  if (context.flags.dryRun) await run(planned);
  else if (full || !items.some(brings)) await run((item) => item.apply(nothingToNote));
  else await changes(context, items, run, failures);
  const files = items.filter(({ runtime }) => runtime === 'llama-server').map(({ target }) => target);
  report(context, outcomes, failures, full, new Set(files));
}

async function plan(
  context: Context,
  texts: readonly string[],
  options: AddOptions,
  failed: (failure: FailedSource) => void,
): Promise<Batch[]> {
  const reporter = reporterOf(context);
  const sources: Source[] = [];
  for (const text of texts) {
    try {
      sources.push(parseSource(text, options.runtime));
    } catch (error) {
      failed({ source: shownSource(text), error });
    }
  }
  const files = sources.filter((source) => source.kind !== 'ollama');
  const names = sources.filter((source) => source.kind === 'ollama');
  const batches: Batch[] = [];
  if (files.length > 0) {
    const { planFiles } = await import('./add-gguf.ts');
    batches.push(await planFiles(context, files, options, reporter, failed));
  }
  if (names.length > 0) {
    const { planPulls } = await import('./add-ollama.ts');
    batches.push(await planPulls(context, names, options, reporter, failed));
  }
  return batches;
}

async function changes(
  context: Context,
  items: readonly AddItem[],
  run: (apply: (item: AddItem) => Promise<StepOutcome>) => Promise<void>,
  failures: readonly unknown[],
): Promise<void> {
  const targets = items.filter(brings).map(({ target }) => target);
  await journalled(context, { command: 'models add', targets }, async ({ operation, failed }) => {
    await run(async (item) => {
      if (brings(item)) await operation.step(item.kind, item.target, item.because);
      return await item.apply(operation);
    });
    if (failures.length === 0) return;
    failed(failures.length < items.length ? 'partly' : 'failed', failures.map(reasonOf).join('; '));
  });
}

function brings({ kind }: AddItem): boolean {
  return kind === 'add' || kind === 'update';
}

/** For items that change nothing. */
const nothingToNote = { id: 'none', step: async () => {}, end: async () => {} };

function lackOfSpace(rooms: readonly Room[]): AixclError | undefined {
  const room = rooms.find(({ left }) => left < 0);
  if (!room) return undefined;
  return new AixclError(
    'noSpace',
    `${bytes(room.needed)} are needed on the disk of ${room.places.join(' and ')}, which has ${bytes(room.left + room.needed)} free`,
    { hint: 'Make room, or move the models: AIXCL_MODELS_DIR=/PATH' },
  );
}

/** Asks about what would be replaced and what would nearly fill a disk; a dry run tells that it would be asked. */
async function consent(context: Context, items: readonly AddItem[], rooms: readonly Room[]): Promise<void> {
  const tight = rooms
    .filter((room) => room.tight)
    .map(
      ({ needed, left, places }) =>
        `This brings in ${bytes(needed)} and leaves ${bytes(left)} on the disk of ${places.join(' and ')}, less than a tenth of it.`,
    );
  const facts = [...items.map(({ question }) => question).filter((each) => each !== null), ...tight];
  if (facts.length === 0) return;
  if (context.flags.dryRun) {
    return context.out.note(`${facts.join('\n')} It would be asked whether to go on.`);
  }
  await context.confirm(`${facts.join('\n')} Go on?`);
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
  files: ReadonlySet<string>,
): void {
  // A lone failure is told by its error alone, with the hint that belongs to it.
  if (failures.length === 1 && outcomes.length === 1) throw failures[0];
  const added = outcomes.filter(({ outcome }) => outcome === 'done');
  const lines = outcomes.map((step) => {
    if (step.outcome === 'done') {
      return step.kind === 'update' ? `updated ${step.target}: ${step.because}` : `added ${step.target}`;
    }
    const line = `${words[step.outcome]} ${step.target}: ${step.because}`;
    return step.outcome === 'failed' ? context.out.paint.bad(line) : line;
  });
  const toServe = added.find(({ target }) => files.has(target) && !isProjectorName(target));
  if (toServe) lines.push(`next: aixcl models activate ${shellWord(toServe.target)}`);
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

/** What the run would do, so far as that can be told without doing it. */
async function planned(item: AddItem): Promise<StepOutcome> {
  const { kind, target, because } = item;
  if (!brings(item)) return await item.apply(nothingToNote);
  const size = item.bytes === null ? '' : ` (${bytes(item.bytes)})`;
  return { kind, target, outcome: 'planned', because: because + size };
}

function reporterOf(context: Context): AddReporter {
  return {
    begin(label, total) {
      const task = context.progress.start(label, total ?? undefined);
      return {
        update: (done, total) => task.update({ done, ...(typeof total === 'number' && { total }) }),
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
