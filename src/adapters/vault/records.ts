import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AixclError } from '../../errors.ts';
import { deletedVersion } from '../../vault/deleted-version.ts';
import { type Digest, digestOf, isDigest } from '../../vault/digest.ts';
import { backupTypes, type Snapshot, type SnapshotDraft, type SnapshotFile } from '../../vault/snapshot.ts';
import type { Marks, SnapshotRecord } from '../../vault/vault.ts';

/** The JSON of a vault: an OCI image index, its manifests, and `metadata.json`, each manifest's config. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  snapshot: 'application/vnd.aixcl.snapshot.v1',
  metadata: 'application/vnd.aixcl.snapshot.metadata.v1+json',
  file: 'application/vnd.aixcl.file.v1',
} as const;

const titleKey = 'org.opencontainers.image.title';
const tagKey = 'org.opencontainers.image.ref.name';
const executableKey = 'io.aixcl.executable';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'no sha256 digest');
const size = z.int().nonnegative();
const time = z.iso.datetime().transform((text) => new Date(text));
const path = z.string().refine(isPlainPath, 'no plain relative path');

const blob = z.object({ mediaType: z.string(), digest, size });

const descriptor = blob.extend({
  mediaType: z.literal(mediaTypes.manifest),
  annotations: z.object({
    [tagKey]: z.string(),
    'io.aixcl.id': z.string(),
    'io.aixcl.verified': time.optional(),
    'io.aixcl.damage': z.string().optional(),
    'io.aixcl.undone': time.optional(),
    'io.aixcl.places': z.string().optional(),
  }),
});

const manifest = z.object({
  schemaVersion: z.literal(2),
  config: blob.extend({ mediaType: z.literal(mediaTypes.metadata) }),
  layers: z.array(
    blob.extend({
      annotations: z.object({ [titleKey]: path, [executableKey]: z.literal('true').optional() }),
    }),
  ),
});

const metadata = z.object({
  kind: z.enum(['backup', 'version']),
  backupType: z.enum(backupTypes).nullable(),
  subject: z.object({
    runtime: z.enum(['ollama', 'llama-server', 'directory', 'volume']),
    name: z.string().min(1),
  }),
  created: time,
  reason: z.string(),
  operation: z.string(),
  folders: z.array(path),
  facts: z.record(z.string(), z.unknown()),
});

export type Descriptor = z.output<typeof descriptor>;
export type Manifest = z.output<typeof manifest>;
export type Metadata = z.output<typeof metadata>;

/** Of an entry of `index.json`, of a manifest and of `metadata.json`: the reason, a string, when it can't be used. */
export const readDescriptor = (value: unknown) => read(descriptor, value);
export const readManifest = (text: string) => readJson(manifest, text);
export const readMetadata = (text: string) => readJson(metadata, text);

function readJson<S extends z.ZodType>(schema: S, text: string): z.output<S> | string {
  try {
    return read(schema, JSON.parse(text));
  } catch {
    return 'it is not whole JSON';
  }
}

function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> | string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
}

/** The same draft always gives the same bytes. `id`: that a version is made under, for people; what an index says of it counts. */
export function writeMetadata(draft: SnapshotDraft, id?: string): Buffer {
  const { kind, backupType, subject, created, reason, operation, folders, facts } = draft;
  const { runtime, name } = subject;
  const value = {
    kind,
    ...(id !== undefined && { id, model: name, description: reason }),
    backupType,
    subject: { runtime, name },
    created,
    reason,
    operation,
    folders,
    facts,
  };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** What a record says, that may come from anywhere; the reason, a string, when it can't be used. */
export function parseRecord(
  record: SnapshotRecord,
): (SnapshotDraft & Pick<Snapshot, 'digest' | 'files' | 'size'>) | string {
  const manifest = readManifest(Buffer.from(record.manifest).toString('utf8'));
  if (typeof manifest === 'string') return `its manifest: ${manifest}`;
  const metadata = readMetadata(Buffer.from(record.metadata).toString('utf8'));
  if (typeof metadata === 'string') return `its metadata: ${metadata}`;
  if (manifest.config.digest !== hashOf(record.metadata))
    return 'its metadata is not what its manifest names';
  const files = filesOf(manifest);
  const twice = repeated([...files.map(({ path }) => path), ...metadata.folders]);
  if (twice !== undefined) return `two files of it are called ${JSON.stringify(twice)}`;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return { ...metadata, digest: hashOf(record.manifest), files, size };
}

function hashOf(content: Uint8Array): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}

function repeated(paths: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return paths.find((path) => seen.size === seen.add(path).size);
}

export interface BlobReference {
  readonly digest: Digest;
  readonly size: number;
}

export function writeManifest(config: BlobReference, files: readonly SnapshotFile[]): Buffer {
  const value = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.snapshot,
    config: { mediaType: mediaTypes.metadata, digest: config.digest, size: config.size },
    layers: files.map((file) => ({
      mediaType: mediaTypes.file,
      digest: file.digest,
      size: file.size,
      annotations: { [titleKey]: file.path, ...(file.executable ? { [executableKey]: 'true' } : {}) },
    })),
  };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** An entry of `index.json`. What aixcl reads back are tag, id and marks; the rest is for people who look into the file. */
export function writeDescriptor(snapshot: Snapshot, manifestSize: number, tag: string): object {
  const was = deletedVersion(snapshot);
  return {
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.snapshot,
    digest: snapshot.digest,
    size: manifestSize,
    annotations: {
      [tagKey]: tag,
      'io.aixcl.id': snapshot.id,
      'io.aixcl.model': snapshot.subject.name,
      'io.aixcl.runtime': snapshot.subject.runtime,
      'io.aixcl.type': snapshot.backupType ?? snapshot.kind,
      'io.aixcl.created': snapshot.created.toISOString(),
      ...(was && { 'io.aixcl.saved': was.created.toISOString() }),
      ...writeMarks(snapshot),
    },
  };
}

/** Annotations that stand for `marks`; undefined for one that is to go. */
export function writeMarks({ verified, damage, undone, places }: Marks): Record<string, string | undefined> {
  return {
    ...(verified === undefined ? {} : { 'io.aixcl.verified': verified?.toISOString() }),
    ...(damage === undefined ? {} : { 'io.aixcl.damage': damage ?? undefined }),
    ...(undone === undefined ? {} : { 'io.aixcl.undone': undone?.toISOString() }),
    ...(places === undefined
      ? {}
      : { 'io.aixcl.places': places.length > 0 ? JSON.stringify(places) : undefined }),
  };
}

export function readMarks({ annotations }: Descriptor): Required<Marks> {
  return {
    verified: annotations['io.aixcl.verified'] ?? null,
    damage: annotations['io.aixcl.damage'] ?? null,
    undone: annotations['io.aixcl.undone'] ?? null,
    places: placesOf(annotations['io.aixcl.places']),
  };
}

function placesOf(text: string | undefined): string[] {
  const value = text === undefined ? [] : readJson(z.array(z.string()), text);
  return typeof value === 'string' ? [] : value;
}

export function filesOf({ layers }: Manifest): SnapshotFile[] {
  return layers.map(({ digest, size, annotations }) => ({
    path: annotations[titleKey],
    digest,
    size,
    ...(annotations[executableKey] ? { executable: true } : {}),
  }));
}

/** Relative, `/` between components, none of them empty, `.` or `..`, no NUL. */
export function isPlainPath(text: string): boolean {
  return (
    !text.includes('\0') && text.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** Throws `usage` for paths that a snapshot can't hold: none of its own folder, or two of one name. */
export function assertPaths(files: readonly { readonly path: string }[], folders: readonly string[]): void {
  const all = [...files.map(({ path }) => path), ...folders];
  const wrong = all.find((each) => !isPlainPath(each)) ?? repeated(all);
  if (wrong === undefined) return;
  throw new AixclError('usage', `${JSON.stringify(wrong)} can't be the path of a file in a snapshot`);
}
