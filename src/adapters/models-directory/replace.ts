import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AixclError } from '../../errors.ts';
import type { StandingRecord } from '../../models/intake.ts';
import { type ModelName, quoted } from '../../models/model-name.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { ownershipOf } from '../durable.ts';
import { carryOut, type Move, NameTaken, type Swap } from '../swap/swap.ts';
import { identityOf, sameContent } from '../vault/file-identity.ts';
import { fileIdentitySchema } from '../vault/file-identity-schema.ts';
import { modelsDirectoryAt } from './directory.ts';
import { type BlobPath, findKept } from './kept-model.ts';
import { writeRecord } from './records.ts';
import { assertNothingElse, assertSaved, goAside, notesOf } from './take-away.ts';

/** What is written beside a model once it has its name; noted, so that whoever finishes the work can write it. */
const afterSchema = z.object({
  name: z.string(),
  /** Null: as they are. */
  arguments: z.array(z.string()).nullable(),
  records: z.array(
    z.object({
      /** Relative to the models directory. */
      place: z.string(),
      sha256: z.string(),
      source: z.string().nullable(),
      version: z.string().nullable(),
      /** False: it has other bytes, and had when it was saved. */
      seen: z.boolean(),
      identity: fileIdentitySchema,
    }),
  ),
});
export type After = z.infer<typeof afterSchema>;

export interface Replacement {
  readonly operation: string;
  /** What stands under the name, and goes. */
  readonly standing: VerifiedBackup | 'nothing';
  /** True: what is staged is one folder. */
  readonly folder: boolean;
  /** The new names. `from` are fsynced once staged. */
  readonly moves: readonly Move[];
  /** Folders that go in the end, and where the work is taken back. */
  readonly staged: readonly string[];
  readonly blobPath?: BlobPath;
  /** Makes what is staged; answers what is to be written beside it. */
  stage(): Promise<After>;
}

/**
 * Gives `name` to what is staged. A model that stands there goes, once `standing` is seen to prove all of it; with `nothing` a name that is
 * taken is refused. One file takes the place of one file in one step.
 */
export async function replaceModel(directory: string, name: ModelName, wish: Replacement): Promise<void> {
  const { standing, operation, blobPath = () => '' } = wish;
  const model = await findKept(directory, name, blobPath);
  if (standing === 'nothing' ? model !== undefined : model === undefined) throw taken(name);
  if (model && standing !== 'nothing') await assertSaved(directory, model, standing, blobPath);
  const going = model && goAside(directory, model, operation);
  const [only, ...more] = wish.moves;
  const inOneStep =
    model && !model.folder && model.parts.length === 1 && !wish.folder && only && !more.length;
  try {
    await carryOut(
      {
        operation,
        saved:
          model && standing !== 'nothing' ? { subject: model.subject, snapshot: standing.snapshot.id } : null,
        moves: inOneStep ? [{ ...only, over: true }] : [...(going?.moves ?? []), ...wish.moves],
        gone: inOneStep ? [] : (going?.gone ?? []),
        staged: wish.staged,
        clear: going && !inOneStep ? [going.aside] : [],
        after: null,
      },
      standing,
      {
        notes: notesOf(directory),
        owner: await ownershipOf(directory),
        stage: wish.stage,
        ...(going && !inOneStep && { check: () => assertNothingElse(going) }),
        finish: (swap) => finish(directory, swap),
      },
    );
  } catch (error) {
    if (error instanceof NameTaken) throw taken(name);
    throw error;
  }
}

/** Writes arguments and records of what got its name. */
export async function finish(directory: string, { after }: Swap): Promise<void> {
  const parsed = afterSchema.safeParse(after);
  if (!parsed.success) return;
  const { name, records } = parsed.data;
  const owner = await ownershipOf(directory);
  for (const { place, identity, seen, ...record } of records) {
    const now = await identityAt(join(directory, place)).catch(() => undefined);
    if (now && sameContent(now, identity)) await writeRecord(directory, place, record, owner, { seen });
  }
  if (parsed.data.arguments) await writeArguments(directory, name as ModelName, parsed.data.arguments);
}

async function writeArguments(directory: string, name: ModelName, args: readonly string[]): Promise<void> {
  const models = modelsDirectoryAt(directory);
  const standing = await models.readArguments(name);
  if (JSON.stringify(standing) !== JSON.stringify(args)) await models.writeArguments(name, args);
}

/** Records of files that are about to get their names, by what they are now. */
export function recordsFor(files: readonly FileToRecord[]): Promise<After['records']> {
  return Promise.all(
    files.map(async ({ place, from, record, seen = true }) => ({
      place,
      ...record,
      seen,
      identity: await identityAt(from),
    })),
  );
}

export interface FileToRecord {
  /** Relative to the models directory. */
  readonly place: string;
  /** Where it lies now. */
  readonly from: string;
  readonly record: StandingRecord;
  /** As for `writeRecord`. */
  readonly seen?: boolean;
}

async function identityAt(path: string): Promise<FileIdentity> {
  return identityOf(await stat(path, { bigint: true }));
}

function taken(name: string): AixclError {
  return new AixclError(
    'refused',
    `what stands under ${quoted(name)} is not what was seen before, so it stays`,
    {
      hint: 'Run the command again.',
    },
  );
}
