import { shellWord } from '../shell-word.ts';
import type { JournalEntry } from './journal.ts';

/** What the journal tells of one command; `--format json` prints it. */
export interface JournalledOperation {
  readonly id: string;
  /** Without `aixcl`; null where the line that said so can't be read. */
  readonly command: string | null;
  readonly targets: readonly string[];
  /** ISO 8601 UTC, as all times here. */
  readonly began: string;
  /** Null while it has not ended, and where it never did. */
  readonly ended: string | null;
  /** `interrupted`: by Ctrl-C, or its process is gone. Null where nobody can say from here whether it still runs. */
  readonly outcome: 'done' | 'partly' | 'failed' | 'interrupted' | 'running' | null;
  /** Why it did not end well, in its own words. */
  readonly because: string | null;
  readonly steps: readonly JournalledStep[];
  /** Of one that was interrupted: the operation that finished it or took it back. */
  readonly resolvedBy: string | null;
  /** Of one that was interrupted: what became of it by that operation, or what to run. */
  readonly resolution: string | null;
}

export interface JournalledStep {
  readonly time: string;
  readonly kind: string;
  readonly target: string;
  readonly because: string;
}

export type Beginning = Extract<JournalEntry, { event: 'begin' }>;

/** Kind of the step by which an operation says that it finishes, or takes back, what an earlier one left; its target is the id of that. */
export const settleStep = 'settle';

/** Operations that began and did not end: whether they run is for the caller to find out. */
export function openOperations(entries: readonly JournalEntry[]): Beginning[] {
  const ended = new Set(entries.flatMap(({ event, operation }) => (event === 'end' ? operation : [])));
  return entries.filter(
    (entry): entry is Beginning => entry.event === 'begin' && !ended.has(entry.operation),
  );
}

/** Every operation, oldest first. `running`: of those that did not end, by id; null or absent where nobody can say. */
export function operationsOf(
  entries: readonly JournalEntry[],
  running: ReadonlyMap<string, boolean | null>,
): JournalledOperation[] {
  const lines = new Map<string, JournalEntry[]>();
  for (const entry of entries) {
    const own = lines.get(entry.operation);
    if (own) own.push(entry);
    else lines.set(entry.operation, [entry]);
  }
  const operations = [...lines].map(([id, own]) => operationOf(id, own, running.get(id) ?? null));
  return operations.map((operation, index) =>
    operation.outcome === 'interrupted' ? resolved(operation, operations.slice(index + 1)) : operation,
  );
}

function operationOf(
  id: string,
  entries: readonly JournalEntry[],
  running: boolean | null,
): JournalledOperation {
  const begin = entries.find(({ event }) => event === 'begin') as Beginning | undefined;
  const end = entries.find((entry) => entry.event === 'end');
  const unended = running === null ? null : running ? 'running' : 'interrupted';
  return {
    id,
    command: begin?.command ?? null,
    targets: begin?.targets ?? [],
    began: begin?.time ?? entries[0]?.time ?? '',
    ended: end?.time ?? null,
    outcome: end ? outcomeOf(end.outcome) : unended,
    because: end?.because ?? null,
    steps: entries.flatMap((entry) => {
      if (entry.event !== 'step') return [];
      const { time, kind, target, because } = entry;
      return { time, kind, target, because };
    }),
    resolvedBy: null,
    resolution: null,
  };
}

function outcomeOf(word: string): JournalledOperation['outcome'] {
  return (['done', 'partly', 'failed', 'interrupted'] as const).find((known) => known === word) ?? null;
}

function resolved(
  interrupted: JournalledOperation,
  later: readonly JournalledOperation[],
): JournalledOperation {
  const settled = later.flatMap(({ id, steps }) => {
    const own = steps.filter(({ kind, target }) => kind === settleStep && target === interrupted.id);
    return own.length > 0 ? { id, how: own.map(({ because }) => because).join('; ') } : [];
  });
  // One that was itself interrupted while it settled leaves the rest to the next.
  const last = settled.at(-1);
  const again = later.find((operation) => repeats(operation, interrupted));
  if (!last && !again) return { ...interrupted, resolution: `not yet: ${retypedAs(interrupted)}` };
  return {
    ...interrupted,
    resolvedBy: again?.id ?? last?.id ?? null,
    resolution: [last?.how, again && 'done'].filter(Boolean).join('; '),
  };
}

/**
 * Whether a command that is done did all that an earlier one was about. Every command goes on from where things stand, so the same one again,
 * for the same or more, is enough; and a start does what a restart was about.
 */
export function repeats(
  later: Pick<JournalledOperation, 'command' | 'targets' | 'outcome'>,
  earlier: Pick<JournalledOperation, 'command' | 'targets'>,
): boolean {
  if (later.outcome !== 'done' || later.command === null || earlier.command === null) return false;
  const [does, did] = [later.command, earlier.command].map(workOf);
  if (does !== did && `re${does}` !== did) return false;
  const everything = later.targets.length === 0;
  const some = earlier.targets.length > 0;
  return everything || (some && earlier.targets.every((target) => later.targets.includes(target)));
}

/** A service's command is the stack's, for one. */
function workOf(command: string): string {
  return typed(command).replace(/^(stack|service) /, '');
}

/** What the upload page does is noted as `models remove (page)`: the command that does the same. */
function typed(command: string): string {
  return command.replace(/ \(page\)$/, '');
}

/** Commands whose targets are what was typed. Others name what came of it. */
const typedTargets = /^((stack|service) |models (remove|activate)\b)/;

/** The command to type again. */
function retypedAs({ command, targets }: Pick<JournalledOperation, 'command' | 'targets'>): string {
  if (command === null) return 'run it again';
  const again = typed(command);
  if (!typedTargets.test(again)) return `run aixcl ${again} again`;
  return `run ${['aixcl', again, ...targets.map(shellWord)].join(' ')}`;
}
