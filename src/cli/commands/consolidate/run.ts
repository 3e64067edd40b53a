import type { Arguments } from 'yargs';
import { type ConsolidationPlan, planConsolidation } from '../../../consolidate/plan-consolidation.ts';
import { AixclError } from '../../../errors.ts';
import { settleFirst } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { applyConsolidation } from './apply.ts';
import { type ConsolidateSight, observeConsolidation } from './observe.ts';
import { consolidationText, plannedSteps } from './plan-text.ts';
import { wishOf } from './wish.ts';

const command = 'consolidate';

/** `consolidate --base BASE --adapter ADAPTER --output NAME --description TEXT`. */
export async function consolidate(context: Context, argv: Arguments): Promise<void> {
  const wish = wishOf(argv);
  await settleFirst(context, command);
  const sight = await observeConsolidation(context, wish);
  const plan = planConsolidation(sight.observed);
  tellRun(context, sight);
  assertRoom(plan, context);
  const text = consolidationText(plan);
  if (context.flags.dryRun) {
    context.out.result({ command, changed: false, steps: plannedSteps(plan) }, text);
    return;
  }
  const { made, removeAdapter } = sight.observed;
  if (made !== null && !removeAdapter) {
    context.out.result({ command, changed: false, steps: plannedSteps(plan) }, text);
    return;
  }
  context.out.note(text);
  await context.confirm(
    made === null ? `Make ${wish.output} so?` : 'Take the adapter away? All of it goes into the vault first.',
  );
  const { steps, lines } = await applyConsolidation(context, sight, plan);
  context.out.result({ command, changed: true, steps }, lines.join('\n'));
}

/** What of the run's folder is not kept, or not drawn. */
function tellRun({ out }: Context, { adapter: { planned } }: ConsolidateSight): void {
  const { evolution } = planned;
  if (!evolution) return;
  if (evolution.left.length > 0) {
    out.warn(`of the run only JSON and JSON lines are kept; left out: ${evolution.left.length} of its files`);
  }
  for (const problem of evolution.problems) out.warn(`kept, and not drawn: ${problem}`);
}

function assertRoom({ rooms }: ConsolidationPlan, { home }: Context): void {
  const room = rooms.find(({ left }) => left < 0);
  if (!room) return;
  const elsewhere = room.places.includes(home.models)
    ? 'move the models: AIXCL_MODELS_DIR=/PATH'
    : 'move the vault: AIXCL_VAULT=/PATH';
  throw new AixclError(
    'noSpace',
    `${bytes(room.needed)} are needed on the disk of ${room.places.join(' and ')}, which has ${bytes(room.left + room.needed)} free; nothing was changed`,
    {
      hint: `aixcl consolidate --dry-run … says what takes them. Make room, or ${elsewhere}`,
    },
  );
}
