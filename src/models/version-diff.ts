import { hexOf } from '../vault/digest.ts';
import type { Snapshot, SnapshotFile } from '../vault/snapshot.ts';
import { evolutionFiles, modelFiles } from '../vault/version-files.ts';
import { metricValues } from './metric-values.ts';
import type { TensorPlace } from './tensors.ts';
import { versionFacts } from './version-facts.ts';

/** One thing that both versions say, and say otherwise; null where one says nothing. */
export interface MetadataChange {
  readonly field: string;
  readonly a: string | null;
  readonly b: string | null;
}

export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Bytes; null where it is not. */
  readonly a: number | null;
  readonly b: number | null;
}

/** All that is said of a version, but for what tells it from any other: id, number, digest. */
export function compareMetadata(a: Snapshot, b: Snapshot): MetadataChange[] {
  const [one, other] = [saidOf(a), saidOf(b)];
  const fields = new Set([...one.keys(), ...other.keys()]);
  return [...fields].flatMap((field) => {
    const [left, right] = [one.get(field) ?? null, other.get(field) ?? null];
    return left === right ? [] : [{ field, a: left, b: right }];
  });
}

function saidOf(snapshot: Snapshot): Map<string, string> {
  const { subject, created, reason, facts } = snapshot;
  const { tool, adapter, baseModel, trainingData, metricsText } = versionFacts(facts);
  const said = new Map<string, string>();
  const say = (field: string, value: unknown) => {
    if (value !== null && value !== undefined) {
      said.set(field, typeof value === 'string' ? value : JSON.stringify(value));
    }
  };
  say('model', subject.name);
  say('runtime', subject.runtime);
  say('description', reason);
  say('created', created.toISOString());
  for (const name of ['architecture', 'parameters', 'quantization', 'arguments'] as const)
    say(name, facts[name]);
  for (const [name, value] of Object.entries(adapter ?? {}))
    if (name !== 'weights') say(`adapter.${name}`, value);
  say('base model', baseModel?.name);
  say('base model digest', baseModel?.digest);
  for (const { path, size, sha256 } of trainingData)
    say(`training data ${path}`, `${size} bytes, sha256:${sha256}`);
  for (const { name, text } of metricValues(metricsText ?? '')) say(`metrics.${name}`, text);
  say('made by', tool);
  return said;
}

/** By path; the model's own files, then those of the run. */
export function compareFiles(a: Snapshot, b: Snapshot): FileChange[] {
  const inRun = (snapshot: Snapshot) =>
    evolutionFiles(snapshot).map((file) => ({ ...file, path: `evolution_snapshots/${file.path}` }));
  return [...changesOf(modelFiles(a), modelFiles(b)), ...changesOf(inRun(a), inRun(b))];
}

function changesOf(a: readonly SnapshotFile[], b: readonly SnapshotFile[]): FileChange[] {
  const [one, other] = [a, b].map((files) => new Map(files.map((file) => [file.path, file])));
  const paths = [...new Set([...a, ...b].map(({ path }) => path))].sort();
  return paths.flatMap((path): FileChange[] => {
    const [left, right] = [one?.get(path), other?.get(path)];
    if (left && right && hexOf(left.digest) === hexOf(right.digest)) return [];
    const change = !left ? 'added' : !right ? 'removed' : 'changed';
    return [{ path, change, a: left?.size ?? null, b: right?.size ?? null }];
  });
}

export interface TensorChange {
  readonly name: string;
  /** The file of `b` that it lies in; of `a`, if it was removed. */
  readonly file: string;
  /** `shape` and `type` tell also of values that differ, as they can't be the same. */
  readonly change: 'added' | 'removed' | 'shape' | 'type' | 'values';
  readonly a: Pick<TensorPlace, 'type' | 'shape'> | null;
  readonly b: Pick<TensorPlace, 'type' | 'shape'> | null;
}

/** A tensor of a version, with the file that it lies in. */
export interface TensorOf extends TensorPlace {
  readonly file: SnapshotFile;
}

/** Files of two versions that are held against each other. */
export interface Pair {
  readonly a: readonly SnapshotFile[];
  readonly b: readonly SnapshotFile[];
}

/**
 * Which files belong together: those of one path; what is left on both sides, renamed or cut into other shards, as a whole. Files that are the
 * same on both sides are left out.
 */
export function pairFiles(a: readonly SnapshotFile[], b: readonly SnapshotFile[]): Pair[] {
  const paths = new Map(b.map((file) => [file.path, file]));
  const both = a.flatMap((file) => {
    const other = paths.get(file.path);
    return other ? [{ a: [file], b: [other] }] : [];
  });
  const paired = new Set(both.flatMap((pair) => pair.a.map(({ path }) => path)));
  const digests = new Set(
    [...a, ...b].map(({ digest }) => digest).filter((digest) => isIn(a, digest) && isIn(b, digest)),
  );
  const left = (files: readonly SnapshotFile[]) =>
    files.filter(({ path, digest }) => !paired.has(path) && !digests.has(digest));
  const rest = { a: left(a), b: left(b) };
  return [
    ...both.filter((pair) => pair.a[0]?.digest !== pair.b[0]?.digest),
    ...(rest.a.length + rest.b.length > 0 ? [rest] : []),
  ];
}

function isIn(files: readonly SnapshotFile[], digest: SnapshotFile['digest']): boolean {
  return files.some((file) => file.digest === digest);
}

/**
 * How the tensors of two versions differ, before their values are read: those of `undecided` have the same name, type and shape. Of several tensors
 * of one name on one side, the first counts.
 */
export function compareTensors(
  a: readonly TensorOf[],
  b: readonly TensorOf[],
): { readonly changes: TensorChange[]; readonly undecided: readonly (readonly [TensorOf, TensorOf])[] } {
  const [one, other] = [firstOf(a), firstOf(b)];
  const changes: TensorChange[] = [];
  const undecided: [TensorOf, TensorOf][] = [];
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    const [left, right] = [one.get(name), other.get(name)];
    if (left && right) {
      const change = differenceOf(left, right);
      if (change === null) undecided.push([left, right]);
      else changes.push(changed(left, right, change));
    } else if (left) changes.push({ name, file: left.file.path, change: 'removed', a: plain(left), b: null });
    else if (right) changes.push({ name, file: right.file.path, change: 'added', a: null, b: plain(right) });
  }
  return { changes, undecided };
}

function firstOf(tensors: readonly TensorOf[]): Map<string, TensorOf> {
  const first = new Map<string, TensorOf>();
  for (const tensor of tensors) if (!first.has(tensor.name)) first.set(tensor.name, tensor);
  return first;
}

function differenceOf(a: TensorOf, b: TensorOf): 'shape' | 'type' | null {
  if (JSON.stringify(a.shape) !== JSON.stringify(b.shape)) return 'shape';
  return a.type === b.type ? null : 'type';
}

export function changed(a: TensorOf, b: TensorOf, change: TensorChange['change']): TensorChange {
  return { name: b.name, file: b.file.path, change, a: plain(a), b: plain(b) };
}

function plain({ type, shape }: TensorOf): Pick<TensorPlace, 'type' | 'shape'> {
  return { type, shape };
}
