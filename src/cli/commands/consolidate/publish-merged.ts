import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ownershipOf } from '../../../adapters/durable.ts';
import { onDisk } from '../../../adapters/models-directory/disk-errors.ts';
import { publishFile } from '../../../adapters/models-directory/publish.ts';
import { writeRecord } from '../../../adapters/models-directory/records.ts';
import { identityOf, sameContent } from '../../../adapters/vault/file-identity.ts';
import type { Consolidated } from '../../../consolidate/consolidated-facts.ts';
import { AixclError } from '../../../errors.ts';
import { summarize } from '../../../models/gguf/summary.ts';
import { hexOf } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { modelFiles } from '../../../vault/version-files.ts';
import { headerAt } from '../../../wiring/models/gguf-files.ts';
import type { Work } from '../../../wiring/operation.ts';
import { saveVersion, type VersionRecords } from '../../../wiring/versions/versioning.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateSight } from './observe.ts';
import { sumsOf, taken } from './output.ts';
import { baseModelOf, type SavedParts } from './save-parts.ts';

/** Makes a version of the merged model, which has no name yet. Under the vault's lock. */
export async function versionMerged(
  context: Context,
  { wish, adapter, way }: ConsolidateSight,
  merged: { readonly path: string; readonly parts: SavedParts; readonly records: VersionRecords },
  work: Work,
): Promise<Snapshot> {
  const { path, parts, records } = merged;
  const { adapterVersion, backups } = parts;
  const [base] = backups;
  const consolidated: Consolidated = {
    base: { name: base.subject.name, files: sumsOf(base.files) },
    adapter: {
      name: adapterVersion.subject.name,
      version: adapterVersion.id,
      files: sumsOf(modelFiles(adapterVersion)),
    },
    way,
  };
  const before = identityOf(await lstat(path, { bigint: true }));
  const { architecture, parameters, quantization } = summarize(await headerAt(path, { thorough: false }));
  const { evolution } = adapter.planned;
  const about = { ...adapter.planned, adapter: null, size: before.size + (evolution?.size ?? 0) };
  const own = {
    subject: { runtime: 'llama-server', name: wish.output } as const,
    files: [
      {
        path: wish.output,
        size: before.size,
        digest: null,
        proven: false,
        bytes: { kind: 'file', path } as const,
      },
    ],
    facts: {
      folder: false,
      arguments: [],
      origins: {},
      links: [],
      architecture,
      parameters,
      quantization,
      consolidated,
    },
    async assertUnchanged() {
      if (sameContent(before, identityOf(await lstat(path, { bigint: true })))) return;
      throw new AixclError(
        'refused',
        `${wish.output} changed before it had its name, so it does not get it`,
        { hint: 'Let nothing write below .aixcl of the models directory, then run the same again.' },
      );
    },
    async [Symbol.asyncDispose]() {},
  };
  return await saveVersion(context, own, about, { ...records, baseModel: baseModelOf(base) }, work, true);
}

/** Gives the merged model its name, unless something took that meanwhile. Under the vault's lock. */
export async function publishMerged(
  { home }: Context,
  { wish }: ConsolidateSight,
  { path, version }: { readonly path: string; readonly version: Snapshot },
  { operation }: Work,
): Promise<void> {
  const { output } = wish;
  await operation.step('publish', output, `it is ${version.id}`);
  await onDisk(home.models, async () => {
    if (!(await publishFile(path, join(home.models, output)))) throw taken(output);
    const file = version.files.find((each) => each.path === output);
    if (!file) throw new Error(`${version.id} does not hold ${output}`);
    const record = { sha256: hexOf(file.digest), source: null, version: null };
    await writeRecord(home.models, output, record, await ownershipOf(home.models));
  });
}
