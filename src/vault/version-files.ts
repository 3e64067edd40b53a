import { z } from 'zod';
import { deletedVersion } from './deleted-version.ts';
import type { Snapshot, SnapshotFile } from './snapshot.ts';

/** What lies in a version beside the model's own files, which lie there as in a backup; those of a directory under `adapter/`. */
const adapterFolder = 'adapter';
export const evolutionFolder = 'evolution_snapshots';

/** Of a version that was deleted: its `metadata.json`, byte for byte. */
export const deletedRecord = '.version/metadata.json';

/** True for a version, and for a backup that a version became. */
export function isOfVersion(snapshot: Pick<Snapshot, 'kind' | 'facts'>): boolean {
  return snapshot.kind === 'version' || deletedVersion(snapshot) !== undefined;
}

/** The snapshots of a run that a version keeps, by their paths there. */
export function evolutionFiles(snapshot: Pick<Snapshot, 'files' | 'facts'>): readonly SnapshotFile[] {
  if (!snapshot.facts.evolution) return [];
  return snapshot.files
    .filter(({ path }) => path.startsWith(`${evolutionFolder}/`))
    .map((file) => ({ ...file, path: file.path.slice(evolutionFolder.length + 1) }));
}

/** The subject's own files, as they are called in the snapshot. */
export function modelFiles(snapshot: Pick<Snapshot, 'kind' | 'facts' | 'files'>): readonly SnapshotFile[] {
  if (!isOfVersion(snapshot)) return snapshot.files;
  const evolution = new Set(evolutionFiles(snapshot).map(({ path }) => `${evolutionFolder}/${path}`));
  return snapshot.files.filter(({ path }) => path !== deletedRecord && !evolution.has(path));
}

/** What a snapshot puts where its subject lived: of a version, the subject's own files alone. */
export function asItStood(snapshot: Snapshot): Snapshot {
  if (!isOfVersion(snapshot)) return snapshot;
  const own = modelFiles(snapshot);
  if (snapshot.subject.runtime !== 'directory') return withFiles(snapshot, own);
  const inner = (path: string) =>
    path.startsWith(`${adapterFolder}/`) ? [path.slice(adapterFolder.length + 1)] : [];
  return {
    ...withFiles(
      snapshot,
      own.flatMap((file) => inner(file.path).map((path) => ({ ...file, path }))),
    ),
    folders: snapshot.folders.flatMap(inner),
    facts: mapPaths(snapshot.facts, (path) => (path === adapterFolder ? [''] : inner(path))),
  };
}

/** What a version gives to a folder of its own: its files as they lie in it, and its `metadata.json`. */
export function laidOut(snapshot: Snapshot, metadata: Omit<SnapshotFile, 'path'>): Snapshot {
  const files = snapshot.files.filter(({ path }) => path !== deletedRecord);
  const names = new Set(files.map(({ path }) => path));
  const path = names.has('metadata.json') ? 'version-metadata.json' : 'metadata.json';
  const { file: _file, ...facts } = snapshot.facts;
  return { ...withFiles(snapshot, [...files, { ...metadata, path }]), facts };
}

/** For a subject that is a directory: what it has, one folder deeper. */
export function underAdapter(path: string): string {
  return path === '' ? adapterFolder : `${adapterFolder}/${path}`;
}

export function factsUnderAdapter(
  facts: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return mapPaths(facts, (path) => [underAdapter(path)]);
}

const linksSchema = z.array(z.looseObject({ path: z.string() }));
const pairsSchema = z.array(z.tuple([z.string()], z.unknown()));

/** Links, modes and times are told by path. */
function mapPaths(
  facts: Readonly<Record<string, unknown>>,
  map: (path: string) => readonly string[],
): Readonly<Record<string, unknown>> {
  const links = linksSchema.safeParse(facts.links);
  const pairs = (['modes', 'times'] as const).map(
    (name) => [name, pairsSchema.safeParse(facts[name])] as const,
  );
  return {
    ...facts,
    ...(links.success && {
      links: links.data.flatMap((link) => map(link.path).map((path) => ({ ...link, path }))),
    }),
    ...Object.fromEntries(
      pairs.flatMap(([name, { success, data }]) =>
        success ? [[name, data.flatMap(([from, ...rest]) => map(from).map((path) => [path, ...rest]))]] : [],
      ),
    ),
  };
}

function withFiles(snapshot: Snapshot, files: readonly SnapshotFile[]): Snapshot {
  return { ...snapshot, files, size: files.reduce((sum, { size }) => sum + size, 0) };
}
