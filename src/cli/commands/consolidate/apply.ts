import { openStaging } from '../../../adapters/consolidation/staging.ts';
import { makeHomeFolder } from '../../../adapters/home-folder.ts';
import type { ConsolidationPlan } from '../../../consolidate/plan-consolidation.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { heldUntil } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { journalOf } from '../../../wiring/journal.ts';
import { toItsEnd } from '../../../wiring/journalled.ts';
import { holdingVault, type Work } from '../../../wiring/operation.ts';
import { recordFor } from '../../../wiring/versions/versioning.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { checkMerged } from './check-merged.ts';
import { makeMerged } from './make-merged.ts';
import type { ConsolidateSight } from './observe.ts';
import { plannedSteps } from './plan-text.ts';
import { publishMerged, versionMerged } from './publish-merged.ts';
import { removeAdapter } from './remove-adapter.ts';
import { type SavedParts, saveParts } from './save-parts.ts';

const command = 'consolidate';

export interface Consolidated {
  readonly steps: readonly StepOutcome[];
  /** For people. */
  readonly lines: readonly string[];
}

/**
 * Carries the plan out, each step in the journal before it is taken. The vault is held while bytes are brought into it and names change, not while
 * weights are merged or tried. Whatever fails, base and adapter stay where they are, and what was staged goes.
 */
export async function applyConsolidation(
  context: Context,
  sight: ConsolidateSight,
  plan: ConsolidationPlan,
): Promise<Consolidated> {
  const { wish, observed } = sight;
  const operation = await journalOf(context).begin(command, [wish.output]);
  const reached: Reached = { saved: [], published: observed.made !== null };
  return await toItsEnd(context, operation, async (failed) => {
    const holding = <T>(work: (held: Work) => Promise<T>): Promise<T> =>
      holdingVault(context, command, operation, (writer) =>
        work({ operation, writer, vault: writer.vault, failed }),
      );
    try {
      if (observed.made !== null) return await onlyRemove(context, sight, plan, holding);
      return await all(context, sight, plan, { holding, operation, reached });
    } catch (error) {
      await tellKept(context, sight, reached, error);
      throw error;
    }
  });
}

type Holding = <T>(work: (held: Work) => Promise<T>) => Promise<T>;

interface Course {
  readonly holding: Holding;
  readonly operation: Work['operation'];
  readonly reached: Reached;
}

/** How far it came. */
interface Reached {
  /** What the vault got. */
  readonly saved: Snapshot[];
  parts?: SavedParts;
  /** The merged model has its name. */
  published: boolean;
}

async function all(
  context: Context,
  sight: ConsolidateSight,
  plan: ConsolidationPlan,
  { holding, operation, reached }: Course,
): Promise<Consolidated> {
  const { home, signal, flags } = context;
  const { wish, adapter } = sight;
  await makeHomeFolder(home.models, home);
  const patience = flags.waitLock;
  await using staging = await openStaging(home.models, wish.output, {
    operation: operation.id,
    patience,
    signal,
  });
  const records = await recordFor(context, { ...adapter.planned, base: null, adapter: null });
  const parts = await holding((work) => saveParts(context, sight, records, work, reached.saved));
  reached.parts = parts;
  const merged = await makeMerged(context, sight, { staging: staging.path, operation });
  await assertAsSaved(context, wish.output, parts);
  await checkMerged(context, sight, { path: merged, operation });
  return await holding(async (work) => {
    const version = await versionMerged(context, sight, { path: merged, parts, records }, work);
    reached.saved.push(version);
    await publishMerged(context, sight, { path: merged, version }, work);
    reached.published = true;
    const removed = wish.removeAdapter ? await removeAdapter(context, sight, parts, work) : null;
    return told(plan, sight, { ...parts, version, removed });
  });
}

async function onlyRemove(
  context: Context,
  sight: ConsolidateSight,
  plan: ConsolidationPlan,
  holding: Holding,
): Promise<Consolidated> {
  const removed = await holding((work) => removeAdapter(context, sight, null, work));
  const steps = plannedSteps(plan).map((step) => (step.kind === 'remove' ? doneBy(step, removed) : step));
  return { steps, lines: removedLines(removed) };
}

interface Made {
  readonly backups: readonly Snapshot[];
  readonly adapterVersion: Snapshot;
  readonly version: Snapshot;
  readonly removed: Snapshot | null;
}

function told(plan: ConsolidationPlan, { wish, observed }: ConsolidateSight, made: Made): Consolidated {
  const { backups, adapterVersion, version, removed } = made;
  const of = (name: string) =>
    [...backups, adapterVersion, version].filter(({ subject }) => subject.name === name);
  const steps = plannedSteps(plan).map((step) => {
    if (step.kind === 'keep') return step;
    const kind = step.kind === 'version' ? 'version' : 'backup';
    const snapshot =
      step.kind === 'remove'
        ? removed
        : of(step.target).find((each) => each.kind === kind && step.kind === kind);
    return doneBy(step, snapshot ?? null);
  });
  const keeps = [...backups.map(({ id, subject }) => `${id} of ${shownSubject(subject)}`), adapterVersion.id];
  return {
    steps,
    lines: [
      `made ${wish.output} (${bytes(version.size)}), which is ${version.id}`,
      `  kept in the vault: ${keeps.join(', ')}`,
      ...(removed ? removedLines(removed) : [`  in its place: ${observed.adapter.subject.name}`]),
      `next: aixcl models activate ${shellWord(wish.output)}`,
    ],
  };
}

function doneBy<T extends object>(step: T, snapshot: Snapshot | null) {
  const id = snapshot && (snapshot.kind === 'version' ? { version: snapshot.id } : { backup: snapshot.id });
  return { ...step, outcome: 'done' as const, ...id };
}

function removedLines({ id, subject, created }: Snapshot): string[] {
  return [
    `removed ${shownSubject(subject)}; the vault holds it as ${id} until ${heldUntil(created)} at least`,
    '  to bring it back: aixcl undo',
  ];
}

/** What a run that failed leaves: nobody has to look for it. */
async function tellKept(
  { signal, out }: Context,
  { wish, adapter }: ConsolidateSight,
  { saved, parts, published }: Reached,
  error: unknown,
): Promise<void> {
  // What failed is to be told, and not that this can't be known.
  const changed = (await parts?.changed(signal).catch(() => [])) ?? [];
  for (const backup of changed.filter((each) => !reasonOf(error).startsWith(changedText(each)))) {
    out.warn(`${changedText(backup)}; ${backWay(backup)} brings it back as it was`);
  }
  if (signal.aborted) return;
  const kept = saved.map(({ id }) => id);
  const vault = kept.length > 0 ? `the vault has ${kept.join(', ')}; ` : '';
  const { subject } = adapter.planned.found.model;
  const places = changed.length > 0 ? '' : `${shownSubject(subject)} and its base are in their places; `;
  out.note(`${places}${vault}${wish.output} was ${published ? 'made' : 'not made'}`);
}

async function assertAsSaved({ signal }: Context, output: string, parts: SavedParts): Promise<void> {
  const [backup] = await parts.changed(signal);
  if (!backup) return;
  throw new AixclError('refused', `${changedText(backup)}, so ${output} is not made`, {
    hint: `See what writes there. As it was, it comes back by: ${backWay(backup)}`,
  });
}

function changedText({ subject }: Snapshot): string {
  return `${shownSubject(subject)} was changed while it was merged`;
}

function backWay({ id }: Snapshot): string {
  return `aixcl backups restore ${id}`;
}
