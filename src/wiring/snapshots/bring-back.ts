import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { makeHomeFolder } from '../../adapters/home-folder.ts';
import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { nearest } from '../../adapters/vault/same-mount.ts';
import { AixclError } from '../../errors.ts';
import { standingOf } from '../../models/active-model.ts';
import { shownSubject } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import { type ObservedRestore, planRestore, type RestoreStep } from '../../models/plan-restore.ts';
import { prove } from '../../models/remove.ts';
import { compareStanding, type RestoreWish, restoreSnapshot } from '../../models/restore.ts';
import { notRestorable, obstacleToRestore } from '../../models/restore-obstacle.ts';
import { assertRestoreRoom, type RestorePlace } from '../../models/restore-room.ts';
import { deletedVersion } from '../../vault/deleted-version.ts';
import { digestOf } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { type Subject, sameSubject } from '../../vault/subject.ts';
import type { Vault } from '../../vault/vault.ts';
import { asItStood, deletedRecord, isOfVersion, laidOut } from '../../vault/version-files.ts';
import { keeperOf } from '../keepers.ts';
import type { Work } from '../operation.ts';
import type { Surroundings } from '../surroundings.ts';
import { vaultOf } from '../vault.ts';
import { working } from '../working.ts';

/** A snapshot to be brought back, with what stands in its place. */
export interface BringingBack {
  readonly observed: ObservedRestore;
  readonly steps: readonly RestoreStep[];
  /** Brings it back, under the vault's lock. */
  bring(work: Work): Promise<Brought>;
}

export interface Brought {
  /** Name of it, as its steps have it. */
  readonly target: string;
  /** What came back, for people: a model, a folder, or a version. */
  readonly as: string;
  /** The backup of what stood there. */
  readonly before: Snapshot | null;
}

/**
 * Looks, asks nobody, changes nothing. A version that was deleted becomes one again; any other snapshot's files are put where they lived, or, of a
 * version, all that it has into a folder of its own. Throws where that can't be: `verification`, `noSpace`, `refused` for a model that is in use.
 */
export async function observeRestore(
  context: Surroundings,
  snapshot: Snapshot,
  target: Subject,
): Promise<BringingBack> {
  const vault = vaultOf(context);
  if (sameSubject(target, snapshot.subject) && deletedVersion(snapshot)) {
    return await observeReinstating(snapshot, vault);
  }
  const content = await contentFor(snapshot, target, vault);
  const obstacle = await obstacleToRestore(content, target, vault);
  if (obstacle !== null) throw notRestorable(snapshot, obstacle);
  const keeper = await keeperOf(context, target.runtime);
  const found = await keeper.find(target.name);
  const label = `Comparing ${quoted(target.name)}`;
  const standing = await working(context, label, found?.size ?? 0, (options) =>
    keeper.compare
      ? keeper.compare(target, content, options)
      : compareStanding(found && { keeper, model: found }, content, options),
  );
  const place = placeOf(context, target);
  if (standing.kind === 'other' && standing.damage === null) await refuseActive(context, snapshot, target);
  if (standing.kind !== 'same') await assertRestoreRoom(content, place);
  const damage =
    standing.kind === 'other' && found && target.runtime !== 'directory' && !context.flags.dryRun
      ? await working(context, `Checking ${quoted(target.name)}`, found.size, (options) =>
          prove({ keeper, model: found }, options),
        )
      : null;
  const known = standing.kind === 'other' && damage ? { ...standing, damage: damage.why } : standing;
  const observed = { snapshot, target, standing: known };
  // Hashing may have told more of its files than was known.
  const seen = found && (await keeper.find(target.name));
  const wish = { keeper, snapshot, content, target, seen, damage, place };
  return {
    observed,
    steps: planRestore({ ...observed, snapshot: { ...snapshot, size: content.size } }),
    bring: (work) => bringFiles(context, wish, work),
  };
}

async function contentFor(snapshot: Snapshot, target: Subject, vault: Vault): Promise<Snapshot> {
  if (!isOfVersion(snapshot)) return snapshot;
  const inPlace = target.runtime !== 'directory' || sameSubject(target, snapshot.subject);
  if (inPlace) return asItStood(snapshot);
  const kept = snapshot.files.find(({ path }) => path === deletedRecord);
  if (kept) return laidOut(snapshot, kept);
  const { metadata } = await vault.record(snapshot);
  const digest = digestOf(createHash('sha256').update(metadata).digest('hex'));
  return laidOut(snapshot, { digest, size: metadata.length });
}

async function observeReinstating(snapshot: Snapshot, vault: Vault): Promise<BringingBack> {
  const was = deletedVersion(snapshot)!;
  const { snapshots } = await vault.contents();
  const here = snapshots.find(({ digest }) => digest === was.digest);
  const target = snapshot.subject;
  if (here) {
    const keep: RestoreStep = { kind: 'keep', because: `${here.id} is a version again`, snapshot, target };
    const observed = { snapshot, target, standing: { kind: 'same' } } as const;
    return { observed, steps: [keep], bring: async () => ({ target: here.id, as: here.id, before: null }) };
  }
  // As files, whatever its runtime makes of them.
  const obstacle = await obstacleToRestore(snapshot, { ...target, runtime: 'directory' }, vault);
  if (obstacle !== null) throw notRestorable(snapshot, obstacle);
  const taken = snapshots.some(({ id }) => id === was.id);
  const because = taken ? `under the next number, as another one is ${was.id} here` : 'asked for';
  return {
    observed: { snapshot, target, standing: { kind: 'nothing' } },
    steps: [{ kind: 'reinstate', because, snapshot, was: was.id }],
    async bring({ writer, operation }) {
      await operation.step('reinstate', was.id, `from ${snapshot.id}`);
      const { id } = await writer.reinstate(snapshot.id);
      return { target: id, as: id, before: null };
    },
  };
}

/** What replaces a model that is served has to be seen to load, which an activation does. */
async function refuseActive({ home }: Surroundings, { id }: Snapshot, target: Subject): Promise<void> {
  if (target.runtime !== 'llama-server') return;
  const activation = await modelsDirectoryAt(home.models).activation();
  if (standingOf(target.name, activation) === null) return;
  throw new AixclError(
    'refused',
    `${quoted(target.name)} stays as it is: llama-server serves it, with other bytes than those of ${id}`,
    { hint: 'Put it beside that, and activate it: --as NAME, then aixcl models activate NAME' },
  );
}

/** Those of Ollama and of volumes count for themselves, as what is there already need not be written. */
function placeOf({ home }: Surroundings, { runtime, name }: Subject): RestorePlace {
  const path = runtime === 'directory' ? name : home.models;
  return {
    path,
    async space() {
      if (runtime === 'ollama' || runtime === 'volume') return null;
      const { bavail, bsize } = await statfs(await nearest(path));
      return { free: bavail * bsize };
    },
  };
}

async function bringFiles(context: Surroundings, wish: RestoreWish, work: Work): Promise<Brought> {
  const { snapshot, target } = wish;
  const label = `Restoring ${quoted(target.name)}`;
  // Where it is gone: root's own would have llama-server and the page run as root.
  if (target.runtime === 'llama-server') await makeHomeFolder(context.home.models, context.home);
  const before = await working(context, label, snapshot.size, ({ signal, onProgress }) =>
    restoreSnapshot(
      wish,
      // Each byte is hashed in the vault, then put in its place.
      { ...work, signal, onProgress: (done) => onProgress?.(done / 2), now: new Date() },
    ),
  );
  return { target: target.name, as: shownSubject(target), before };
}

/** For people, a line a step. */
export function restoreText(steps: readonly RestoreStep[]): string {
  return steps.map(stepText).join('\n');
}

function stepText(step: RestoreStep): string {
  switch (step.kind) {
    case 'save':
      return `save ${shownSubject(step.subject)} (${prettyBytes(step.size)}) first: ${step.because}`;
    case 'restore': {
      const { id, size, damage } = step.snapshot;
      const state = damage === null ? '' : `, damaged as it was: ${damage}`;
      return `restore ${shownSubject(step.target)} from ${id} (${prettyBytes(size)}${state})`;
    }
    case 'keep':
      return `keep ${shownSubject(step.target)}: ${step.because}`;
    case 'reinstate':
      return `make ${step.was} a version again, from ${step.snapshot.id}: ${step.because}`;
  }
}

export function plannedSteps(steps: readonly RestoreStep[]) {
  return steps.map((step) => ({
    kind: step.kind,
    target: targetOf(step),
    outcome: step.kind === 'keep' ? ('kept' as const) : ('planned' as const),
    because: step.because,
  }));
}

function targetOf(step: RestoreStep): string {
  if (step.kind === 'reinstate') return step.was;
  return step.kind === 'save' ? step.subject.name : step.target.name;
}

export function restoredStep({ snapshot }: ObservedRestore, { target, before }: Brought) {
  const kept = before ? `; what stood there is ${before.id}` : '';
  return {
    kind: 'restore',
    target,
    outcome: 'done' as const,
    because: `from ${snapshot.id}${kept}`,
    backup: snapshot.id,
    before: before?.id ?? null,
  };
}
