import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { makeHomeFolder } from '../adapters/home-folder.ts';
import { nearest } from '../adapters/vault/same-mount.ts';
import { shownSubject } from '../models/find-kept.ts';
import type { Keeper, KeptModel } from '../models/keeper.ts';
import { quoted } from '../models/model-name.ts';
import { type ObservedRestore, planRestore, type RestoreStep } from '../models/plan-restore.ts';
import { prove } from '../models/remove.ts';
import { compareStanding, restoreSnapshot } from '../models/restore.ts';
import { notRestorable, obstacleToRestore } from '../models/restore-obstacle.ts';
import { assertRestoreRoom, type RestorePlace } from '../models/restore-room.ts';
import type { Damage } from '../models/save-going.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';
import { keeperOf } from './keepers.ts';
import type { Work } from './operation.ts';
import type { Surroundings } from './surroundings.ts';
import { vaultOf } from './vault.ts';
import { working } from './working.ts';

/** A snapshot to be brought back, with what stands in its place. */
export interface BringingBack {
  readonly observed: ObservedRestore;
  readonly steps: readonly RestoreStep[];
  readonly keeper: Keeper;
  readonly seen: KeptModel | undefined;
  readonly damage: Damage | null;
  readonly place: RestorePlace;
}

/** Looks, asks nobody, changes nothing. Throws where the snapshot can't be brought back: `verification`, `noSpace`. */
export async function observeRestore(
  context: Surroundings,
  snapshot: Snapshot,
  target: Subject,
): Promise<BringingBack> {
  const obstacle = await obstacleToRestore(snapshot, target, vaultOf(context));
  if (obstacle !== null) throw notRestorable(snapshot, obstacle);
  const keeper = await keeperOf(context, target.runtime);
  const found = await keeper.find(target.name);
  const label = `Comparing ${quoted(target.name)}`;
  const standing = await working(context, label, found?.size ?? 0, (options) =>
    keeper.compare
      ? keeper.compare(target, snapshot, options)
      : compareStanding(found && { keeper, model: found }, snapshot, options),
  );
  const place = placeOf(context, target);
  if (standing.kind !== 'same') await assertRestoreRoom(snapshot, place);
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
  return { observed, steps: planRestore(observed), keeper, seen, damage, place };
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

/** Brings it back, under the vault's lock; answers the backup of what stood there. */
export async function bringBack(
  context: Surroundings,
  what: BringingBack,
  work: Work,
): Promise<Snapshot | null> {
  const { observed, keeper, seen, damage, place } = what;
  const { snapshot, target } = observed;
  const label = `Restoring ${quoted(target.name)}`;
  // Where it is gone: root's own would have llama-server and the page run as root.
  if (target.runtime === 'llama-server') await makeHomeFolder(context.home.models, context.home);
  return await working(context, label, snapshot.size, ({ signal, onProgress }) =>
    restoreSnapshot(
      { keeper, snapshot, target, seen, damage, place },
      // Each byte is hashed in the vault, then put in its place.
      { ...work, signal, onProgress: (done) => onProgress?.(done / 2), now: new Date() },
    ),
  );
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
  }
}

export function plannedSteps(steps: readonly RestoreStep[]) {
  return steps.map((step) => ({
    kind: step.kind,
    target: step.kind === 'save' ? step.subject.name : step.target.name,
    outcome: step.kind === 'keep' ? ('kept' as const) : ('planned' as const),
    because: step.because,
  }));
}

export function restoredStep({ snapshot, target }: ObservedRestore, before: Snapshot | null) {
  const kept = before ? `; what stood there is ${before.id}` : '';
  return {
    kind: 'restore',
    target: target.name,
    outcome: 'done' as const,
    because: `from ${snapshot.id}${kept}`,
    backup: snapshot.id,
    before: before?.id ?? null,
  };
}
