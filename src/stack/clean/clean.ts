import { AixclError, reasonOf } from '../../errors.ts';
import type { Note } from '../../plan/journal.ts';
import type { StepOutcome } from '../../plan/step.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import type { ContainerSummary, Engine, VolumeSummary } from '../engine.ts';
import { lastHolder } from './clean-holding.ts';
import type { CleanStep } from './plan-clean.ts';

export interface CleanHands {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** Called before each change. */
  readonly note: Note;
  readonly progress: { start(label: string): { succeed(): void; fail(): void } };
  /** Seconds before a container is killed; undefined: its own. */
  readonly timeout: number | undefined;
  /** Saves all that is in a volume which nobody uses. */
  save(volume: VolumeSummary): Promise<VerifiedBackup>;
  /** Has the guard hold these, and what it holds already. */
  hold(volumes: readonly string[], images: readonly string[]): Promise<void>;
  /** Has the guard let go of a volume, and hold the others on. */
  letGo(volume: VolumeSummary): Promise<void>;
  /** Takes away a volume, with what was saved of it in the folder that it may be a name for. */
  removeSaved(volume: VolumeSummary, proof: VerifiedBackup): Promise<void>;
  /** Takes away a helper that nobody uses any more; false where its command lives. */
  reapHelper(container: ContainerSummary): Promise<boolean>;
}

export type CleanOutcome = StepOutcome & {
  /** Bytes; null: not known. */
  readonly size: number | null;
  /** Of a volume that was saved. */
  readonly backup?: string;
};

export interface Cleaned {
  readonly outcomes: readonly CleanOutcome[];
  readonly failures: readonly unknown[];
  /** What was saved, by volume. */
  readonly saved: ReadonlyMap<string, VerifiedBackup>;
}

/**
 * Takes the steps. What stays is held before anything stops; where that fails, nothing is saved and taken away, and a container that may be
 * the last to hold a volume stays. Containers that are to go are stopped before anything is saved, and removed only when all is: where that fails, they stand
 * there stopped, and all else is as it was. What fails after that keeps nothing else from going.
 */
export async function applyClean(plan: readonly CleanStep[], hands: CleanHands): Promise<Cleaned> {
  const saved = new Map<string, VerifiedBackup>();
  const outcomes: CleanOutcome[] = [];
  const failures: unknown[] = [];
  const unheld = await hold(plan, hands, outcomes, failures);
  const saves = plan.filter((step) => step.kind === 'save-volume');
  if (saves.length > 0 && unheld.length > 0) throw failures[0];
  if (saves.length > 0) {
    const stopped = await stopAll(plan, hands);
    for (const step of saves) {
      const { name } = step.volume;
      try {
        await hands.note(step.kind, name, step.because);
        saved.set(name, await hands.save(step.volume));
        outcomes.push({ ...told(step, 'done'), backup: saved.get(name)!.snapshot.id });
      } catch (error) {
        throw notSaved(name, stopped, error);
      }
    }
  }
  const holders = plan.flatMap((step) =>
    step.kind === 'remove-container' && lastHolder(step.container, unheld) ? step.container : [],
  );
  for (const step of plan) {
    if (step.kind === 'save-volume' || step.kind === 'hold-volumes') continue;
    const stays = whyItStays(step, holders, unheld);
    if (stays) {
      outcomes.push({ ...told(step, 'kept'), because: stays });
      continue;
    }
    if (step.kind === 'keep') {
      outcomes.push(told(step, 'kept'));
      continue;
    }
    hands.signal.throwIfAborted();
    const task = hands.progress.start(labelOf(step));
    try {
      await hands.note(step.kind, targetOf(step), step.because);
      outcomes.push(await take(step, hands, saved));
      task.succeed();
    } catch (error) {
      task.fail();
      hands.signal.throwIfAborted();
      if (error instanceof AixclError && error.code === 'engineUnreachable') throw error;
      failures.push(error);
      outcomes.push({ ...told(step, 'failed'), because: reasonOf(error) });
    }
  }
  return { outcomes, failures, saved };
}

/** Names of the volumes that could not be held. */
async function hold(
  plan: readonly CleanStep[],
  { hold, note, progress, signal }: CleanHands,
  outcomes: CleanOutcome[],
  failures: unknown[],
): Promise<readonly string[]> {
  const step = plan.find((each) => each.kind === 'hold-volumes');
  if (!step) return [];
  signal.throwIfAborted();
  const task = progress.start(`hold ${targetOf(step)}`);
  try {
    await note(step.kind, targetOf(step), step.because);
    await hold(step.volumes, step.images);
    task.succeed();
    outcomes.push(told(step, 'done'));
    return [];
  } catch (error) {
    task.fail();
    signal.throwIfAborted();
    if (error instanceof AixclError && error.code === 'engineUnreachable') throw error;
    failures.push(error);
    outcomes.push({ ...told(step, 'failed'), because: reasonOf(error) });
    return step.volumes;
  }
}

/** Undefined for what goes. `holders`: containers that stay as the last to hold a volume, and need what they were made of. */
function whyItStays(
  step: CleanStep,
  holders: readonly ContainerSummary[],
  unheld: readonly string[],
): string | undefined {
  if (step.kind === 'remove-container') return lastHolder(step.container, unheld);
  const user = holders.find(
    ({ networks, imageId }) =>
      (step.kind === 'remove-network' && networks?.includes(step.network.name)) ||
      (step.kind === 'remove-image' && imageId === step.image.id),
  );
  return user && `${user.name}, which stays, needs it`;
}

function labelOf(step: GoingStep): string {
  if (step.kind === 'let-go') return `let go of ${step.volume.name}`;
  const what = step.kind.replace(/^remove-(saved-)?/, '');
  return `remove ${what} ${targetOf(step)}`;
}

type GoingStep = Exclude<CleanStep, { readonly kind: 'keep' | 'save-volume' | 'hold-volumes' }>;

async function take(
  step: GoingStep,
  hands: CleanHands,
  saved: ReadonlyMap<string, VerifiedBackup>,
): Promise<CleanOutcome> {
  const { engine } = hands;
  switch (step.kind) {
    case 'remove-container':
      await stop(step.container, hands);
      await engine.removeContainer(step.container.id);
      return told(step, 'done');
    case 'remove-helper':
      if (await hands.reapHelper(step.container)) return told(step, 'done');
      return { ...told(step, 'kept'), because: 'a command that is at work uses it' };
    case 'let-go':
      await hands.letGo(step.volume);
      return told(step, 'done');
    case 'remove-saved-volume': {
      const proof = saved.get(step.volume.name);
      if (!proof) throw new Error(`${step.volume.name} was not saved`);
      await hands.removeSaved(step.volume, proof);
      return {
        ...told(step, 'done'),
        because: `all in it is ${proof.snapshot.id}`,
        backup: proof.snapshot.id,
      };
    }
    case 'remove-network':
      await engine.removeNetwork(step.network.id);
      return told(step, 'done');
    case 'remove-image':
      await engine.removeDanglingImage(step.image.id);
      return told(step, 'done');
    case 'remove-volume':
      await engine.removeVolume(step.disposable);
      return told(step, 'done');
  }
}

/** Names of those that ran. */
async function stopAll(plan: readonly CleanStep[], hands: CleanHands): Promise<string[]> {
  const stopped: string[] = [];
  for (const step of plan) {
    if (step.kind !== 'remove-container' || !isUp(step.container)) continue;
    const { name } = step.container;
    hands.signal.throwIfAborted();
    await hands.note('stop', name, 'it is saved while nothing runs');
    const task = hands.progress.start(`stop ${name}`);
    try {
      await stop(step.container, hands);
    } catch (error) {
      task.fail();
      throw error;
    }
    task.succeed();
    stopped.push(name);
  }
  return stopped;
}

async function stop(container: ContainerSummary, { engine, timeout }: CleanHands): Promise<void> {
  const now = await engine.inspectContainer(container.id);
  if (!now || !isUp(now)) return;
  // A paused one hears no signal.
  if (now.state === 'paused') await engine.startContainer(now.id);
  await engine.stopContainer(now.id, timeout);
}

function isUp({ state }: Pick<ContainerSummary, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

function notSaved(volume: string, stopped: readonly string[], error: unknown): unknown {
  if (!(error instanceof AixclError) || error.code === 'interrupted' || error.code === 'terminated')
    return error;
  const after =
    stopped.length > 0
      ? `${stopped.join(', ')} ${stopped.length > 1 ? 'were' : 'was'} stopped; nothing was removed`
      : 'nothing was removed';
  return new AixclError(
    error.code,
    `the volume ${volume} stays, as it could not be saved: ${error.message}; ${after}`,
    {
      hint: error.hint,
      evidence: error.evidence,
      cause: error,
    },
  );
}

/** The steps as a dry run tells them. */
export function plannedOutcomes(plan: readonly CleanStep[]): CleanOutcome[] {
  return plan.map((step) => told(step, step.kind === 'keep' ? 'kept' : 'planned'));
}

function told(step: CleanStep, outcome: StepOutcome['outcome']): CleanOutcome {
  const kind = step.kind === 'keep' ? `keep-${step.what}` : step.kind;
  return { kind, target: targetOf(step), outcome, because: step.because, size: sizeOf(step) };
}

export function targetOf(step: CleanStep): string {
  switch (step.kind) {
    case 'keep':
      return step.name;
    case 'hold-volumes':
      return step.volumes.join(', ');
    case 'remove-container':
    case 'remove-helper':
      return step.container.name;
    case 'let-go':
      return step.guard.name;
    case 'remove-network':
      return step.network.name;
    case 'remove-image':
      return step.image.id;
    default:
      return step.volume.name;
  }
}

export function sizeOf(step: CleanStep): number | null {
  switch (step.kind) {
    case 'save-volume':
    case 'remove-saved-volume':
      return step.asked.size;
    case 'remove-image':
      return step.image.size;
    case 'keep':
    case 'remove-container':
    case 'remove-volume':
      return step.size;
    default:
      return null;
  }
}
