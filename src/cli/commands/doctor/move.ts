import { realpath } from 'node:fs/promises';
import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { ollamaOf } from '../../../wiring/ollama.ts';
import { settleFirst, withOperation } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { moveHome } from './move-home.ts';
import {
  type Bringing,
  type BringWish,
  bringAll,
  described,
  nameOf,
  planOf,
  tellOthers,
  toBring,
} from './move-models.ts';
import { type FoundStore, moveSource, storeIn } from './move-source.ts';
import { oldStoreText, outcomeText, planText } from './move-text.ts';
import { filesOnlyThere } from './only-there.ts';
import { sightOfOwnStore } from './store-sight.ts';

const command = 'doctor --move';

/**
 * `doctor --move NAME|/PATH`: brings the models of another Ollama's volume or folder into this home's store; or this home's own Ollama out of
 * a volume inside the engine. What is there stays there.
 */
export async function move(context: Context, argv: Arguments): Promise<void> {
  const source = await moveSource(context, String(argv.move));
  const from = await storeIn(context, source);
  const { store: into } = await ollamaOf(context);
  if (source.kind === 'volume' && source.folder === undefined && from.place === into.place) {
    return moveHome(context, from, source.volume.name);
  }
  await refuseSamePlace(from.place, into.place);
  await bringOver(context, { from, into, brought: new Set() });
}

async function bringOver(context: Context, wish: BringWish): Promise<void> {
  const { from, into } = wish;
  await settleFirst(context, command);
  const outcomes = new Outcomes(context.signal);
  const shown = await planOf(wish);
  const text = planText(shown, from.place, into.place);
  const coming = toBring(shown);
  if (context.flags.dryRun) {
    tellOthers(shown, outcomes);
    for (const step of coming) outcomes.add({ ...described(step), outcome: 'planned' });
    print(context, outcomes, [text]);
    return outcomes.end('would not be brought over');
  }
  if (coming.length === 0) tellOthers(shown, outcomes);
  else {
    context.out.note(text);
    const what = coming.length === 1 ? nameOf(coming[0]!) : `these ${coming.length} models`;
    await context.confirm(`Bring ${what} over? Nothing is taken away from ${from.place}.`);
    await carryOut(context, wish, coming, outcomes);
  }
  const all = outcomes.steps.every(({ outcome }) => outcome !== 'failed');
  const left = all ? await onlyThere(context, from) : null;
  print(context, outcomes, [...outcomeText(outcomes.steps), oldStoreText(from, all, left)]);
  outcomes.end('were not brought over');
}

async function carryOut(
  context: Context,
  wish: BringWish,
  agreed: readonly Bringing[],
  outcomes: Outcomes,
): Promise<void> {
  const names = agreed.map(nameOf);
  try {
    await withOperation(context, { command, targets: [wish.from.place, ...names] }, async (work) => {
      // Others may have been at it while the question was open.
      const now = await planOf(wish);
      tellOthers(now, outcomes);
      const steps = toBring(now).filter((step) => names.includes(nameOf(step)));
      if (steps.length > 0) await bringAll(context, wish, steps, work, outcomes);
      outcomes.tell(work);
    });
  } catch (error) {
    if (outcomes.steps.length > 0) print(context, outcomes, outcomeText(outcomes.steps));
    throw error;
  }
}

/** What goes with the old store and is not here. */
async function onlyThere(context: Context, { root }: FoundStore): Promise<readonly string[] | null> {
  const ours = await sightOfOwnStore(context, async () => (await context.engine()).listVolumes());
  return filesOnlyThere(root, ours);
}

function print(context: Context, outcomes: Outcomes, lines: readonly string[]): void {
  const { steps, changed } = outcomes;
  context.out.result({ command, changed, steps }, lines.join('\n'));
}

/** Nothing can be brought from a store into itself. */
async function refuseSamePlace(theirs: string, ours: string): Promise<void> {
  const [one, other] = await Promise.all([theirs, ours].map(realPlace));
  if (one !== other) return;
  throw new AixclError('refused', `${theirs} is where this home's Ollama keeps its models already`, {
    hint: 'aixcl models list',
  });
}

async function realPlace(place: string): Promise<string> {
  return place.startsWith('/') ? await realpath(place).catch(() => place) : place;
}
