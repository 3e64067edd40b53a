import { reapHelpers } from '../../../adapters/abandoned-helpers.ts';
import { type FixStep, targetOf } from '../../../doctor/plan-fix.ts';
import { AixclError } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { holdVolumes } from '../../../stack/volumes/hold-volumes.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import { journalled } from '../../../wiring/journalled.ts';
import { withOperation } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { turnOf } from '../stack/turn.ts';
import { renamable } from './look-at-stack.ts';

const command = 'doctor --fix';

/** Takes the steps, each noted in the journal before. One that fails holds up no other; what remains is found again afterwards. */
export async function applyFix(context: Context, steps: readonly FixStep[]): Promise<void> {
  const outcomes = new Outcomes(context.signal);
  if (context.flags.dryRun)
    for (const step of steps) outcomes.add({ ...described(step), outcome: 'planned' });
  else {
    await onEngine(
      context,
      steps.filter((step) => !isOfVault(step)),
      outcomes,
    );
    await inVault(context, steps.filter(isOfVault), outcomes);
  }
  context.out.result(
    { command, changed: outcomes.changed, steps: outcomes.steps },
    `${outcomes.steps.map(outcomeText).join('\n')}\n`,
  );
}

function described(step: FixStep): Pick<StepOutcome, 'kind' | 'target' | 'because'> {
  return { kind: step.kind, target: targetOf(step), because: step.because };
}

/** What the vault's one writer settles when it opens. */
function isOfVault({ kind }: FixStep): boolean {
  return kind === 'settle-names' || kind === 'clear-ingest';
}

async function onEngine(context: Context, steps: readonly FixStep[], outcomes: Outcomes): Promise<void> {
  if (steps.length === 0) return;
  const targets = steps.map(targetOf);
  await turnOf(context, command).hold(() =>
    journalled(context, { command, targets }, async ({ operation, failed }) => {
      for (const step of steps) {
        context.signal.throwIfAborted();
        await operation.step(step.kind, targetOf(step), step.because);
        try {
          await take(context, step);
          outcomes.add({ ...described(step), outcome: 'done' });
        } catch (error) {
          outcomes.fail(step.kind, targetOf(step), error);
        }
      }
      outcomes.tell({ failed });
    }),
  );
}

async function inVault(context: Context, steps: readonly FixStep[], outcomes: Outcomes): Promise<void> {
  if (steps.length === 0) return;
  try {
    // Opening the vault settles all of it.
    await withOperation(context, { command, targets: steps.map(targetOf) }, async () => {});
    for (const step of steps) outcomes.add({ ...described(step), outcome: 'done' });
  } catch (error) {
    for (const step of steps) outcomes.fail(step.kind, targetOf(step), error);
  }
}

async function take(context: Context, step: FixStep): Promise<void> {
  switch (step.kind) {
    case 'hold-volume':
      return hold(context, step.volume);
    case 'rename-container':
      return rename(context, step.service);
    case 'remove-helper':
      await reapHelpers(await context.engine(), context.home.root);
  }
}

async function hold(context: Context, volume: string): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containers = await engine.listContainers();
  refuseOtherHome(containers, context.home);
  const { home, signal } = context;
  const images = imagesAtHand(definition, { containers });
  await holdVolumes(engine, { home: home.root, hold: [volume], images, signal });
}

/** Looked at once more: whoever was at it meanwhile may have done more, or less. */
async function rename(context: Context, name: string): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containers = await engine.listContainers();
  refuseOtherHome(containers, context.home);
  const service = definition.services.get(name);
  const container = service && renamable(definition, service, containers);
  if (!service || !container) {
    throw new AixclError('refused', `what stands of ${name} has changed`, {
      hint: `aixcl service restart ${name}`,
    });
  }
  await engine.renameContainer(container.id, service.containerName);
}

const doneWords: Readonly<Record<string, string>> = {
  'hold-volume': 'held the volume',
  'rename-container': 'gave its name back to',
  'settle-names': 'settled',
  'clear-ingest': 'cleared what was left in',
  'remove-helper': 'removed the helper container',
};

function outcomeText({ kind, target, outcome, because }: StepOutcome): string {
  if (outcome === 'failed') return `failed: ${kind.replaceAll('-', ' ')} ${target}: ${because}`;
  if (outcome === 'planned') return `would ${kind.replaceAll('-', ' ')} ${target}: ${because}`;
  return `${doneWords[kind]} ${target}: ${because}`;
}
