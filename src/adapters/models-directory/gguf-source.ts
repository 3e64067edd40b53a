import { z } from 'zod';
import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import { digestOf, isDigest } from '../../vault/digest.ts';
import type { Source, SourceFile } from '../../vault/subject.ts';
import { sameContent } from '../vault/file-identity.ts';
import { modelsDirectoryAt } from './directory.ts';
import { type BlobPath, findKept, type KeptGguf } from './kept-model.ts';
import { lastRecord, readRecord } from './records.ts';

/** What a snapshot of a GGUF model knows beside its files: all that has to come back with it. */
const factsSchema = z.object({
  /** True: the files lie in a folder of the model's name. */
  folder: z.boolean().catch(false),
  /** llama-server's own arguments for it. */
  arguments: z.array(z.string()).catch([]),
  /** Where each file came from, by its path. */
  origins: z
    .record(z.string(), z.object({ source: z.string().nullable(), version: z.string().nullable() }))
    .catch({}),
  /** sha256 of what was added, by path, for files that were written to since. */
  expected: z.record(z.string(), z.string()).catch({}),
  /** Links inside its folder. */
  links: z.array(z.object({ path: z.string(), target: z.string() })).catch([]),
});
export type GgufFacts = z.infer<typeof factsSchema>;

export function ggufFacts(facts: Readonly<Record<string, unknown>>): GgufFacts {
  return factsSchema.parse(facts);
}

/** What a snapshot of `model` would hold. Throws `verification` when shards are missing, unless `partial`. */
export async function openGguf(
  directory: string,
  model: KeptGguf,
  blobPath: BlobPath,
  { partial }: { readonly partial: boolean },
): Promise<Source> {
  if (model.missing.length > 0 && !partial) {
    throw new AixclError(
      'verification',
      `${quoted(model.name)} is not whole: ${model.missing.join(', ')} missing`,
      {
        hint: `aixcl models verify ${shellWord(model.name)} --repair`,
      },
    );
  }
  const origins: GgufFacts['origins'] = {};
  const expected: GgufFacts['expected'] = {};
  for (const { path, place, identity } of model.parts) {
    const record = await readRecord(directory, place);
    if (record) origins[path] = { source: record.source, version: record.version };
    else {
      const last = await lastRecord(directory, place, identity.inode);
      if (last) expected[path] = last.sha256;
    }
  }
  const facts: GgufFacts = {
    folder: model.folder,
    arguments: await modelsDirectoryAt(directory).readArguments(model.name),
    origins,
    expected,
    links: [...model.links],
  };
  return {
    subject: model.subject,
    files: model.parts.map((part, index): SourceFile => {
      const known = model.files[index]?.digest ?? null;
      // What was added, where the file was written to since: that is what its bytes have to be.
      const should = expected[part.path];
      const digest = known ?? (should === undefined ? null : digestOf(should));
      return {
        path: part.path,
        size: part.identity.size,
        digest: digest !== null && isDigest(digest) ? digest : null,
        proven: known !== null,
        bytes: { kind: 'file', path: part.real },
        ...(part.executable && { executable: true }),
      };
    }),
    folders: model.emptyFolders,
    facts: { ...facts, ...model.about, ...(model.missing.length > 0 && { missing: model.missing }) },
    assertUnchanged: async () => assertSame(model, await findKept(directory, model.name, blobPath)),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Throws `refused` unless `now` is made of the very files that `model` was made of, unwritten. Their ctime does not count: to get another
 * name in the vault changes it.
 */
export function assertSame(model: KeptGguf, now: KeptGguf | undefined): void {
  const same =
    now !== undefined &&
    now.parts.length === model.parts.length &&
    now.parts.every((part, index) => {
      const before = model.parts[index];
      return before?.place === part.place && sameContent(before.identity, part.identity);
    });
  if (same) return;
  throw new AixclError('refused', `${quoted(model.name)} changed meanwhile, so it stays as it is`, {
    hint: 'Let whatever writes it finish, then run the command again.',
  });
}
