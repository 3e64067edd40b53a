import { obstacleToRestore } from '../../models/restore-obstacle.ts';
import { shellWord } from '../../shell-word.ts';
import type { BrokenRecord, Snapshot } from '../../vault/snapshot.ts';
import type { Vault } from '../../vault/vault.ts';
import { lastTaken } from '../../wiring/snapshots/take-back.ts';
import type { PageSnapshot, PageState } from '../api.ts';
import { markOf } from './marks.ts';
import type { Looking } from './part.ts';

export interface SeenVault {
  /** Newest first. */
  readonly snapshots: readonly Snapshot[];
  readonly shown: readonly PageSnapshot[];
  readonly broken: readonly BrokenRecord[];
  readonly undo: PageState['undo'];
}

/** What the vault holds, and what of it can be brought back here. `index`: the file that every change of it replaces. */
export function vaultContents(vault: Vault, index: string): Looking<SeenVault> {
  return {
    empty: { snapshots: [], shown: [], broken: [], undo: null },
    mark: () => markOf(index),
    async look() {
      const { snapshots, broken } = await vault.contents();
      // Listed once for all of them.
      const blobs = await vault.blobs();
      const listed = { blobs: async () => blobs, openBlob: vault.openBlob.bind(vault) };
      const shown = await Promise.all(
        snapshots.map(async (snapshot) => shownSnapshot(snapshot, await whyNotHere(snapshot, listed))),
      );
      return { snapshots, shown, broken, undo: await undoOf(snapshots, listed) };
    },
  };
}

/** Why a snapshot can't be restored by the page; null where it can. */
async function whyNotHere(
  snapshot: Snapshot,
  vault: Pick<Vault, 'blobs' | 'openBlob'>,
): Promise<string | null> {
  const elsewhere = notOfThePage[snapshot.subject.runtime];
  return elsewhere ?? (await obstacleToRestore(snapshot, snapshot.subject, vault));
}

/** Why the page leaves snapshots of these to the command line. */
export const notOfThePage: Readonly<Record<Snapshot['subject']['runtime'], string | null>> = {
  'llama-server': null,
  ollama: "models of Ollama's are restored on the command line",
  directory: 'folders are restored on the command line',
  volume: 'volumes are restored on the command line',
};

/** What to type for what the page does not restore. */
export function restoreCommand({ id, kind }: Snapshot): string {
  return `aixcl ${kind === 'version' ? 'versions' : 'backups'} restore ${shellWord(id)}`;
}

function shownSnapshot(snapshot: Snapshot, notRestorable: string | null): PageSnapshot {
  const { id, kind, subject, backupType, created, reason, size, verified, damage } = snapshot;
  const files = notRestorable !== null && subject.runtime === 'llama-server' ? ' --to DIR' : '';
  return {
    id,
    kind,
    model: subject.name,
    runtime: subject.runtime,
    backupType,
    created: created.toISOString(),
    reason,
    size,
    verified: verified?.toISOString() ?? null,
    damage,
    notRestorable,
    commands:
      notRestorable === null
        ? []
        : [{ what: files ? 'have its files' : 'restore', command: `${restoreCommand(snapshot)}${files}` }],
  };
}

/** Of a command that took several models, or one of Ollama's, `aixcl undo` alone brings all back. */
async function undoOf(
  snapshots: readonly Snapshot[],
  vault: Pick<Vault, 'blobs' | 'openBlob'>,
): Promise<PageState['undo']> {
  const { taken } = await lastTaken(snapshots, vault);
  const [only, ...more] = taken;
  if (!only || more.length > 0 || only.subject.runtime !== 'llama-server') return null;
  return { backup: only.id, model: only.subject.name, created: only.created.toISOString() };
}
