import { AixclError } from '../../../errors.ts';
import type { Keeper, KeptModel } from '../../../models/keeper.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { SourceFile } from '../../../vault/subject.ts';
import { keepersOf } from '../../../wiring/keepers.ts';
import type { Work } from '../../../wiring/operation.ts';
import { secondVaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';

/** Where the right bytes of a damaged blob may be. Nothing is believed: what comes in is hashed. */
interface Candidate {
  /** For people. */
  readonly from: string;
  open(): Promise<SourceFile & AsyncDisposable>;
}

interface DamagedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Takes damaged blobs anew from live models, and from other vaults that they were synced to; what is wrong is set aside, whether or not the
 * right bytes are found. Answers those that are right again.
 */
export async function repairBlobs(
  context: Context,
  { operation, writer }: Pick<Work, 'operation' | 'writer'>,
  damaged: readonly DamagedBlob[],
  snapshots: readonly Snapshot[],
): Promise<StepOutcome[]> {
  if (damaged.length === 0) return [];
  const live = await liveModels(context);
  const present = await writer.vault.blobs();
  const repaired: StepOutcome[] = [];
  for (const blob of damaged) {
    const { digest } = blob;
    await operation.step('repair', digest, 'its bytes are not what its name says');
    const candidates = [...inModels(live, blob), ...inOtherVaults(context, snapshots, blob)];
    const from = await takeAnew(context, writer, candidates);
    if (from)
      repaired.push({ kind: 'repair', target: digest, outcome: 'done', because: `taken anew from ${from}` });
    else if (present.has(digest)) await writer.setAside(digest);
  }
  return repaired;
}

interface Live {
  readonly keeper: Keeper;
  readonly model: KeptModel;
}

async function liveModels(context: Context): Promise<Live[]> {
  const live: Live[] = [];
  for (const keeper of await keepersOf(context))
    for (const model of await keeper.list()) live.push({ keeper, model });
  return live;
}

/** A file whose digest nobody knows is a candidate by its size. */
function inModels(live: readonly Live[], { digest, size }: DamagedBlob): Candidate[] {
  return live.flatMap(({ keeper, model }) =>
    model.files
      .filter((file) => file.digest === digest || (file.digest === null && file.size === size))
      .map(({ path }) => ({
        from: model.subject.name,
        async open() {
          const source = await keeper.open(model, { partial: true });
          const file = source.files.find((each) => each.path === path);
          if (file)
            return {
              ...file,
              digest,
              proven: false,
              [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
            };
          await source[Symbol.asyncDispose]();
          throw new AixclError('verification', `${path} of ${model.subject.name} is missing`);
        },
      })),
  );
}

function inOtherVaults(
  context: Context,
  snapshots: readonly Snapshot[],
  { digest, size }: DamagedBlob,
): Candidate[] {
  const having = snapshots.filter(({ files }) => files.some((file) => file.digest === digest));
  return [...new Set(having.flatMap(({ places }) => places))].map((place) => ({
    from: place,
    open: async () => ({
      path: digest,
      size,
      digest,
      proven: false,
      bytes: { kind: 'file', path: secondVaultOf(context, place).blobPath(digest) },
      [Symbol.asyncDispose]: async () => {},
    }),
  }));
}

/** Where the right bytes were; undefined when they were nowhere. */
async function takeAnew(
  { signal }: Context,
  writer: Work['writer'],
  candidates: readonly Candidate[],
): Promise<string | undefined> {
  for (const { from, open } of candidates) {
    try {
      const file = await open();
      try {
        await writer.takeIn(file, { way: 'copy', recheck: true, signal });
        return from;
      } finally {
        await file[Symbol.asyncDispose]();
      }
    } catch (error) {
      signal.throwIfAborted();
      // The next one may have them. A full disk is no matter of who has them.
      if (!(error instanceof AixclError) || !['verification', 'notFound', 'refused'].includes(error.code))
        throw error;
    }
  }
  return undefined;
}
