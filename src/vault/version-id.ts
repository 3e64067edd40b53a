import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { deletedVersion } from './deleted-version.ts';
import type { Snapshot } from './snapshot.ts';
import type { Subject } from './subject.ts';
import { unreadable } from './unreadable.ts';
import type { VaultContents } from './vault.ts';

/** `MODEL@v003` or `MODEL@latest`, taken apart at the last `@`. */
export interface VersionId {
  readonly model: string;
  /** Null: the highest that there is. */
  readonly number: number | null;
}

/** `v001`, …, `v999`, `v1000`: the one way in which a version's number is spelled. */
export function versionName(number: number): string {
  return `v${String(number).padStart(3, '0')}`;
}

/** Undefined for what is no version's id as it is spelled: `v1`, `tea@v1`, `tea@v0011`, `tea@V001`. */
export function parseVersionId(text: string): VersionId | undefined {
  const at = text.lastIndexOf('@');
  const [model, rest] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1) return undefined;
  if (rest === 'latest') return { model, number: null };
  const number = Number(/^v(\d{3,15})$/.exec(rest)?.[1] ?? 0);
  return number > 0 && versionName(number) === rest ? { model, number } : undefined;
}

/** Whether a user who writes `text` for a model may mean this one. */
export type Means = (text: string, subject: Subject) => boolean;

/** Versions of what `text` means, by number: of a model, of a path, or where neither is called so, of directories of that last name. */
export function versionsMeant(
  snapshots: readonly Snapshot[],
  text: string,
  means: Means,
): readonly Snapshot[] {
  const versions = snapshots.filter(({ kind }) => kind === 'version').sort((a, b) => a.number - b.number);
  const named = versions.filter(({ subject }) => means(text, subject));
  if (named.length > 0 || text.includes('/')) return named;
  return versions.filter(
    ({ subject }) => subject.runtime === 'directory' && subject.name.endsWith(`/${text}`),
  );
}

/**
 * The version that `text` names. Throws `notFound`, naming those there are; `verification` where its record can't be read, or where the latest
 * one's can't; `refused` for a name that versions of several subjects have.
 */
export function chooseVersion(contents: VaultContents, text: string, means: Means): Snapshot {
  const id = parseVersionId(text);
  const at = text.lastIndexOf('@');
  const model = id?.model ?? (at > 0 ? text.slice(0, at) : text);
  const own = versionsMeant(contents.snapshots, model, means);
  const found = id && (id.number === null ? own.at(-1) : own.find(({ number }) => number === id.number));
  const lost = contents.broken.filter(({ name }) => {
    const other = parseVersionId(name);
    const same = other?.model === model || other?.model === own[0]?.subject.name;
    if (!other || other.number === null || !same || !id) return false;
    return id.number === null ? other.number > (found?.number ?? 0) : other.number === id.number;
  });
  const [broken] = lost;
  if (broken && (!found || id?.number === null)) throw unreadable(broken.name, [broken]);
  // A record without an id may be any.
  const nameless = contents.broken.filter(({ name }) => !parseVersionId(name) && !/^b\d+$/.test(name));
  if (!found && id && nameless.length > 0) throw unreadable(text, nameless);
  if (!found) throw noSuchVersion(text, own, deletedBackup(contents.snapshots, id, means));
  const subjects = new Set(own.map(({ subject: { runtime, name } }) => `${name} (${runtime})`));
  if (subjects.size === 1) return found;
  throw new AixclError(
    'refused',
    `${JSON.stringify(model)} may be any of these: ${[...subjects].join(', ')}`,
    {
      hint: 'aixcl versions list',
    },
  );
}

/** The newest backup that the version became when it was deleted. */
function deletedBackup(
  snapshots: readonly Snapshot[],
  id: VersionId | undefined,
  means: Means,
): Snapshot | undefined {
  if (!id || id.number === null) return undefined;
  return snapshots
    .filter((each) => deletedVersion(each)?.number === id.number && means(id.model, each.subject))
    .sort((a, b) => a.number - b.number)
    .at(-1);
}

function noSuchVersion(text: string, own: readonly Snapshot[], deleted: Snapshot | undefined): AixclError {
  if (deleted) {
    return new AixclError('notFound', `no such version: ${JSON.stringify(text)}`, {
      hint: `it was deleted, and is kept: aixcl backups restore ${deleted.id}`,
    });
  }
  const names = own.map(({ number }) => versionName(number));
  const some = names.length > 8 ? [...names.slice(0, 3), '…', ...names.slice(-3)] : names;
  const [first] = own;
  return new AixclError('notFound', `no such version: ${JSON.stringify(text)}`, {
    hint: first
      ? `${first.subject.name} has ${some.join(', ')}: aixcl versions list ${shellWord(first.subject.name)}`
      : 'aixcl versions list   (a version is called MODEL@v001, or MODEL@latest)',
  });
}

/** Versions that are the latest of their subject, by id. */
export function latestVersions(snapshots: readonly Snapshot[]): ReadonlySet<string> {
  const latest = new Map<string, Snapshot>();
  for (const each of snapshots) {
    if (each.kind !== 'version') continue;
    const key = JSON.stringify([each.subject.runtime, each.subject.name]);
    if ((latest.get(key)?.number ?? 0) < each.number) latest.set(key, each);
  }
  return new Set([...latest.values()].map(({ id }) => id));
}
