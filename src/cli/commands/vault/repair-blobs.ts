import { AixclError } from '../../../errors.ts';
import type { Keeper, KeptModel } from '../../../models/keeper.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { Context } from '../../context.ts';
import { keepersOf } from '../wiring/keepers.ts';
import type { Work } from '../wiring/operation.ts';

/**
 * Takes damaged blobs anew from live models that have the right bytes; what is wrong is set aside, whether or not there is such a model.
 * Answers those that are right again.
 */
export async function repairBlobs(
  context: Context,
  { operation, writer }: Pick<Work, 'operation' | 'writer'>,
  wrong: ReadonlyMap<Digest, string>,
): Promise<StepOutcome[]> {
  if (wrong.size === 0) return [];
  const holders = await holdersOf(context, wrong);
  const present = await writer.vault.blobs();
  const repaired: StepOutcome[] = [];
  for (const digest of wrong.keys()) {
    await operation.step('repair', digest, 'its bytes are not what its name says');
    const from = await takeAnew(context, writer, digest, holders.get(digest) ?? []);
    if (from)
      repaired.push({ kind: 'repair', target: digest, outcome: 'done', because: `taken anew from ${from}` });
    else if (present.has(digest)) await writer.setAside(digest);
  }
  return repaired;
}

interface Holder {
  readonly keeper: Keeper;
  readonly model: KeptModel;
}

async function holdersOf(
  context: Context,
  wrong: ReadonlyMap<Digest, string>,
): Promise<ReadonlyMap<Digest, readonly Holder[]>> {
  const holders = new Map<Digest, Holder[]>();
  for (const keeper of await keepersOf(context)) {
    for (const model of await keeper.list()) {
      for (const { digest } of model.files) {
        if (digest === null || !wrong.has(digest as Digest)) continue;
        holders.set(digest as Digest, [...(holders.get(digest as Digest) ?? []), { keeper, model }]);
      }
    }
  }
  return holders;
}

/** Name of the model that had the right bytes; undefined when none did. */
async function takeAnew(
  { signal }: Context,
  writer: Work['writer'],
  digest: Digest,
  holders: readonly Holder[],
): Promise<string | undefined> {
  for (const { keeper, model } of holders) {
    try {
      const source = await keeper.open(model, { partial: true });
      try {
        const file = source.files.find((each) => each.digest === digest);
        if (!file) continue;
        await writer.takeIn({ ...file, proven: false }, { way: 'copy', recheck: true, signal });
        return model.subject.name;
      } finally {
        await source[Symbol.asyncDispose]();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
    }
  }
  return undefined;
}
