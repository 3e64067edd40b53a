import { changeOverlay } from '../../../adapters/overlay-file.ts';
import { recordSeen } from '../../../adapters/seen-volumes.ts';
import { reasonOf } from '../../../errors.ts';
import type { Engine } from '../../../stack/engine.ts';
import { type HomeOverlay, withFolder } from '../../../stack/home-overlay.ts';
import { holdVolumes } from '../../../stack/volumes/hold-volumes.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import type { Work } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import type { Outcomes } from '../../outcomes.ts';
import { observeMove } from './move-home-observe.ts';
import { type MoveStep, planMoveHome, targetOf } from './move-home-plan.ts';
import { type BringWish, bringAll, planOf, refuseParts, toBring } from './move-models.ts';

export interface Move {
  readonly context: Context;
  readonly engine: Engine;
  readonly wish: BringWish;
  /** Of the volume that the models lie in. */
  readonly name: string;
  readonly outcomes: Outcomes;
}

export interface Moved {
  /** True when Ollama ran before, and is to run again. */
  readonly ran: boolean;
  /** What the home's overlay said before; undefined where it was changed by an earlier run. */
  readonly overlay: HomeOverlay | undefined;
}

/** From the moment that Ollama stands still to where the definition names the folder. Where that fails, it runs again on its volume. */
export async function change(move: Move, work: Work): Promise<Moved> {
  const { context, engine, name, outcomes } = move;
  const steps = planMoveHome(await observeMove(context, engine, name));
  const stopped: string[] = [];
  let overlay: HomeOverlay | undefined;
  try {
    for (const step of steps) {
      context.signal.throwIfAborted();
      if (step.kind === 'start') continue;
      const told = { kind: step.kind, target: targetOf(step), because: step.because };
      if (step.kind === 'keep-volume') {
        outcomes.add({ ...told, outcome: 'kept' });
        continue;
      }
      await work.operation.step(told.kind, told.target, told.because);
      overlay = (await take(step, move, work, stopped)) ?? overlay;
      outcomes.add({ ...told, outcome: 'done' });
    }
  } catch (error) {
    await startAgain(move, stopped);
    throw error;
  }
  return { ran: steps.some(({ kind }) => kind === 'start'), overlay };
}

/** Answers what the overlay said before it was changed. */
async function take(
  step: Exclude<MoveStep, { kind: 'start' | 'keep-volume' }>,
  move: Move,
  work: Work,
  stopped: string[],
): Promise<HomeOverlay | undefined> {
  const { context, engine } = move;
  const { home } = context;
  switch (step.kind) {
    case 'hold':
      await recordSeen(home, step.volume, true);
      await hold(move, step.volume);
      return undefined;
    case 'stop':
      stopped.push(step.container.id);
      await engine.stopContainer(step.container.id);
      return undefined;
    case 'copy-rest':
      await copyRest(move, work);
      return undefined;
    case 'switch': {
      let before: HomeOverlay | undefined;
      await changeOverlay(home.overlayFile, (overlay) => {
        before = overlay;
        return withFolder(overlay, step.folder);
      });
      stopped.length = 0;
      return before;
    }
    case 'remove-container':
      await engine.removeContainer(step.container.id);
      return undefined;
  }
}

async function hold({ context, engine }: Move, volume: string): Promise<void> {
  const { home, signal } = context;
  const [definition, containers] = await Promise.all([context.definition(), engine.listContainers()]);
  const images = imagesAtHand(definition, { containers });
  await holdVolumes(engine, { home: home.root, hold: [volume], images, signal });
}

async function copyRest({ context, wish, outcomes }: Move, work: Work): Promise<void> {
  const models = await planOf(wish);
  refuseParts(models, wish.from.place);
  const rest = toBring(models);
  if (rest.length > 0) await bringAll(context, wish, rest, work, outcomes);
  if (outcomes.failed) outcomes.end('could not be moved, so Ollama stays where it is');
}

async function startAgain({ context, engine }: Move, stopped: readonly string[]): Promise<void> {
  for (const id of stopped) {
    await engine.startContainer(id).catch((error: unknown) => {
      context.out.warn(`Ollama could not be started again: ${reasonOf(error)}`);
    });
  }
}
