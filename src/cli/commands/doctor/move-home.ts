import { changeOverlay } from '../../../adapters/overlay-file.ts';
import { seesHome } from '../../../adapters/shared-files.ts';
import { AixclError } from '../../../errors.ts';
import type { BringStep } from '../../../models/ollama/bring-over-plan.ts';
import { sameName, shownName } from '../../../models/ollama/name.ts';
import { shellWord } from '../../../shell-word.ts';
import { isGuard } from '../../../stack/volumes/guard.ts';
import { ollamaOf, storeAt } from '../../../wiring/ollama.ts';
import { settleFirst, type Work, withOperation } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { startServices } from '../stack/start.ts';
import { turnOf } from '../stack/turn.ts';
import { change, type Move, type Moved } from './move-home-change.ts';
import { observeMove } from './move-home-observe.ts';
import { type MoveStep, mountsVolume, moveLine, planMoveHome, targetOf } from './move-home-plan.ts';
import { bringAll, described, planOf, refuseParts, tellOthers, toBring } from './move-models.ts';
import type { FoundStore } from './move-source.ts';
import { outcomeText, planText } from './move-text.ts';

const command = 'doctor --move';

/**
 * Moves the models of this home's Ollama out of the volume `name`, which lies inside the engine, into the folder of the home that a default
 * install has. They are copied while Ollama works, and what changed meanwhile while it stands still; then the definition names the folder.
 * The volume stays as it is.
 */
export async function moveHome(context: Context, from: FoundStore, name: string): Promise<void> {
  await settleFirst(context, command);
  const engine = await context.engine();
  const seen = await observeMove(context, engine, name);
  const { images } = await ollamaOf(context);
  const into = await storeAt(context, { kind: 'directory', models: seen.models }, images);
  const wish = { from, into, brought: new Set<string>() };
  const move: Move = { context, engine, wish, name, outcomes: new Outcomes(context.signal) };
  const steps = planMoveHome(seen);
  await refuseBlindEngine(move, images);
  await refuseStrangers(move, seen.path);
  const models = await planOf(wish);
  refuseParts(models, from.place);
  const lines = [planText(models, from.place, into.place), ...steps.map((step) => `  ${moveLine(step)}`)];
  if (context.flags.dryRun) return showPlan(move, models, steps, lines.join('\n'));
  context.out.note(lines.join('\n'));
  await context.confirm(`Move Ollama's models out of the volume ${name}?`);
  const moved = await withOperation(context, { command, targets: [name] }, (work) => carryOut(move, work));
  if (moved?.ran) await startThere(move, moved);
  print(move, moved, seen.path);
}

function showPlan(
  { context, outcomes }: Move,
  models: readonly BringStep[],
  steps: readonly MoveStep[],
  text: string,
): void {
  for (const model of models) {
    outcomes.add({ ...described(model), outcome: model.kind === 'keep' ? 'kept' : 'planned' });
  }
  for (const step of steps) {
    const { kind, because } = step;
    const outcome = kind === 'keep-volume' ? 'kept' : 'planned';
    outcomes.add({ kind, target: targetOf(step), because, outcome });
  }
  context.out.result({ command, changed: false, steps: outcomes.steps }, text);
}

/** A volume can be a name for a folder only where the engine sees that. */
async function refuseBlindEngine({ context, engine, name }: Move, images: readonly string[]): Promise<void> {
  const { home, signal } = context;
  if ((await seesHome(engine, { home: home.root, images, signal })) !== false) return;
  throw new AixclError(
    'refused',
    `the engine does not see ${home.root}, so the volume ${name} stays inside it`,
    {
      hint: 'aixcl doctor --fix, which holds it',
    },
  );
}

/** What the folder holds would be Ollama's too, as soon as it works there. */
async function refuseStrangers({ wish: { from, into } }: Move, path: string): Promise<void> {
  const [theirs, ours] = await Promise.all([from.store.manifests(), into.manifests()]);
  const strange = ours.filter(
    ({ name, content }) =>
      !theirs.some((one) => sameName(one.name, name) && Buffer.from(one.content).equals(content)),
  );
  if (strange.length === 0) return;
  const aside = `${path}.aside`;
  const names = strange.map(({ name }) => shownName(name)).join(', ');
  throw new AixclError('refused', `${path} holds models that ${from.place} does not have: ${names}`, {
    hint: `mv ${shellWord(path)} ${shellWord(aside)}, run it again, and then: aixcl doctor --move ${shellWord(aside)}`,
  });
}

/** Undefined where not everything could be copied: then Ollama stays where it is. */
async function carryOut(move: Move, work: Work): Promise<Moved | undefined> {
  const { context, outcomes, wish } = move;
  const models = await planOf(wish);
  refuseParts(models, wish.from.place);
  tellOthers(models, outcomes);
  const coming = toBring(models);
  if (coming.length > 0) await bringAll(context, wish, coming, work, outcomes);
  if (!outcomes.failed) return await turnOf(context, command).hold(() => change(move, work));
  outcomes.tell(work);
  return undefined;
}

/** Starts Ollama on the folder. Where it went back to its old container, the definition goes back too. */
async function startThere(move: Move, { overlay }: Moved): Promise<void> {
  const { context, engine, name, outcomes } = move;
  const definition = await context.reloadDefinition();
  try {
    await startServices({ ...context, definition: async () => definition }, ['ollama'], command);
  } catch (error) {
    const back = (await engine.listContainers()).some(
      (one) => one.state === 'running' && !isGuard(one) && mountsVolume(one, name),
    );
    if (back && overlay) {
      await turnOf(context, command).hold(() => changeOverlay(context.home.overlayFile, () => overlay));
      context.out.warn(`Ollama works on the volume ${name} as before; what was copied stays`);
    }
    throw error;
  }
  outcomes.add({ kind: 'start', target: 'ollama', outcome: 'done', because: 'it ran before' });
}

function print({ context, name, outcomes }: Move, moved: Moved | undefined, path: string): void {
  const { steps, changed } = outcomes;
  const lines = outcomeText(steps.filter(({ kind }) => ['bring', 'keep', 'leave'].includes(kind)));
  if (moved) {
    lines.push(`Ollama keeps its models in ${path} now.`);
    if (!moved.ran) lines.push('It did not run, and does not: aixcl stack start');
    lines.push(
      `The volume ${name} is as it was, and held. To see that all is right: aixcl models verify. After that it may go: aixcl stack clean --volumes ${name}`,
    );
  }
  context.out.result({ command, changed, steps }, lines.join('\n'));
  outcomes.end('could not be moved, so Ollama stays where it is');
}
