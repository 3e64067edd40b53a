import { AixclError } from '../errors.ts';
import type { Operation } from '../plan/journal.ts';
import { shellWord } from '../shell-word.ts';
import { checkSnapshot } from '../vault/check-snapshot.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Source, Subject } from '../vault/subject.ts';
import type { Vault, VaultWriter, WorkOptions } from '../vault/vault.ts';
import type { VerifiedBackup } from '../vault/verified-backup.ts';
import type { Found } from './find-kept.ts';
import type { Keeper, KeptModel } from './keeper.ts';
import { quoted } from './model-name.ts';
import type { Standing } from './plan-restore.ts';
import { prove, sameParts } from './remove.ts';
import { notRestorable, obstacleToRestore } from './restore-obstacle.ts';
import { assertRestoreRoom, type RestorePlace } from './restore-room.ts';
import { type Damage, saveGoing, staysAfterAll } from './save-going.ts';

/** What stands under the name that a snapshot is to get. Hashes only where sizes do not tell that it is something else. */
export async function compareStanding(
  standing: Found | undefined,
  snapshot: Snapshot,
  options: WorkOptions,
): Promise<Standing> {
  if (!standing) return { kind: 'nothing' };
  const { model } = standing;
  const other = { kind: 'other', size: model.size, damage: model.damage } as const;
  if (model.damage !== null || model.held !== null) return other;
  const renamed = model.subject.name !== snapshot.subject.name;
  const sizes = (files: readonly { readonly path: string; readonly size: number }[]) =>
    keyOf(
      files.map(({ path, size }) => [path, size]),
      renamed,
    );
  if (sizes(model.files) !== sizes(snapshot.files)) return other;
  const digests = await digestsOf(standing, options);
  if (typeof digests === 'string') return { ...other, damage: digests };
  const wanted = snapshot.files.map(({ path, digest }) => [path, digest] as const);
  if (keyOf([...digests], renamed) !== keyOf(wanted, renamed)) return other;
  return (await sameBeside(standing, snapshot)) ? { kind: 'same' } : other;
}

/** Whether empty folders, links and modes are as they were, as far as the snapshot knows of them. */
async function sameBeside({ keeper, model }: Found, { folders, facts }: Snapshot): Promise<boolean> {
  const source = await keeper.open(model);
  await source[Symbol.asyncDispose]();
  const known = (['links', 'modes'] as const).filter((name) => facts[name] !== undefined);
  const beside = (of: readonly string[] | undefined, from: Source['facts']) =>
    JSON.stringify([[...(of ?? [])].sort(), ...known.map((name) => from[name])]);
  return beside(source.folders, source.facts) === beside(folders, facts);
}

function keyOf(files: readonly (readonly [path: string, what: unknown])[], renamed: boolean): string {
  return files
    .map(([path, what]) => JSON.stringify(renamed ? [what] : [path, what]))
    .sort()
    .join('\n');
}

/** Digest of each file by its path; a text when it is damaged. */
async function digestsOf(
  found: Found,
  options: WorkOptions,
): Promise<ReadonlyMap<string, string | null> | string> {
  const { keeper, model } = found;
  if (keeper.digests) return await keeper.digests(model, options);
  const known = await filesOf(keeper, model);
  if (known.every(({ proven }) => proven)) return new Map(known.map(({ path, digest }) => [path, digest]));
  const damaged = await keeper.verify(model, options);
  if (damaged.length > 0) return damaged.map(({ path, why }) => `${path}: ${why}`).join('; ');
  const again = await keeper.find(model.subject.name);
  const hashed = again ? await filesOf(keeper, again) : [];
  return new Map(hashed.map(({ path, digest }) => [path, digest]));
}

async function filesOf(keeper: Keeper, model: KeptModel): Promise<Source['files']> {
  const source = await keeper.open(model);
  await source[Symbol.asyncDispose]();
  return source.files;
}

export interface RestoreWork extends WorkOptions {
  readonly operation: Operation;
  readonly writer: VaultWriter;
  readonly vault: Vault;
  readonly now: Date;
}

export interface RestoreWish {
  readonly keeper: Keeper;
  readonly snapshot: Snapshot;
  /** Of the snapshot, what is put in place. */
  readonly content: Snapshot;
  readonly target: Subject;
  /** What stood under the target's name when it was decided. */
  readonly seen: KeptModel | undefined;
  /** What hashing found wrong with that. */
  readonly damage: Damage | null;
  readonly place: RestorePlace;
}

/**
 * Brings a snapshot back under the name `target`. Every byte of it is hashed in the vault before anything there is touched; what stands there
 * goes into the vault first. Answers that backup, if there is one.
 */
export async function restoreSnapshot(wish: RestoreWish, work: RestoreWork): Promise<Snapshot | null> {
  const { keeper, snapshot, content, target } = wish;
  const { operation, writer, vault, signal } = work;
  await operation.step('check', snapshot.id, 'before anything is touched');
  const wrong = await checkSnapshot(snapshot, writer, work);
  if (wrong !== null) throw damaged(snapshot, wrong);
  const obstacle = await obstacleToRestore(content, target, vault);
  if (obstacle !== null) throw notRestorable(snapshot, obstacle);
  await assertRestoreRoom(content, wish.place);
  const standing = await keeper.find(target.name);
  if (!sameStanding(wish.seen, standing)) throw changed(target);
  // One that compares for itself writes over nothing.
  const replaced = keeper.compare ? undefined : standing;
  const proof = replaced ? await saveStanding({ keeper, model: replaced }, wish, work) : 'nothing';
  await operation.step('restore', target.name, `from ${snapshot.id}`);
  try {
    await keeper.restore(content, {
      vault,
      writer,
      target,
      standing: proof,
      operation: operation.id,
      signal,
      onProgress: (done) => work.onProgress?.(snapshot.size + done),
    });
  } catch (error) {
    if (!replaced) throw error;
    throw await staysAfterAll({ keeper, model: replaced }, writer, signal, error);
  }
  return proof === 'nothing' ? null : proof.snapshot;
}

async function saveStanding(
  found: Found,
  { snapshot, damage }: RestoreWish,
  { operation, writer, now, signal }: RestoreWork,
): Promise<VerifiedBackup> {
  await operation.step('save', found.model.subject.name, `${snapshot.id} takes its place`);
  return await saveGoing(found, {
    writer,
    operation: operation.id,
    created: now,
    reason: `${snapshot.id} was put in its place`,
    backupType: 'pre_update',
    damage: damage ?? (await prove(found, { signal })),
    signal,
  });
}

function sameStanding(before: KeptModel | undefined, now: KeptModel | undefined): boolean {
  return before && now ? sameParts(before, now) : before === now;
}

function damaged({ id, kind, subject }: Snapshot, why: string): AixclError {
  const others = kind === 'version' ? 'versions list' : 'backups list --model';
  return new AixclError('verification', `${id} is damaged in the vault, so nothing was changed: ${why}`, {
    hint: `aixcl vault verify --repair, or another one: aixcl ${others} ${shellWord(subject.name)}`,
  });
}

function changed({ name }: Subject): AixclError {
  return new AixclError('refused', `what stands under ${quoted(name)} changed while the question was open`, {
    hint: 'Run the command again.',
  });
}
