import type { Step } from '../plan/step.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';

/** Steps that bring one snapshot back. `save` keeps what stands there first; `keep` leaves what is the same already. */
export type RestoreStep = Step<{
  save: { readonly subject: Subject; readonly size: number; readonly damage: string | null };
  restore: { readonly snapshot: Snapshot; readonly target: Subject };
  keep: { readonly snapshot: Snapshot; readonly target: Subject };
}>;

export interface ObservedRestore {
  readonly snapshot: Snapshot;
  readonly target: Subject;
  /** What stands under the target's name. */
  readonly standing: Standing;
}

export type Standing =
  | { readonly kind: 'nothing' }
  /** The same bytes as the snapshot's. */
  | { readonly kind: 'same' }
  | { readonly kind: 'other'; readonly size: number; readonly damage: string | null };

export function planRestore({ snapshot, target, standing }: ObservedRestore): RestoreStep[] {
  const restore: RestoreStep = { kind: 'restore', because: 'asked for', snapshot, target };
  switch (standing.kind) {
    case 'same':
      return [{ kind: 'keep', because: `it stands there as ${snapshot.id} has it`, snapshot, target }];
    case 'nothing':
      return [restore];
    case 'other': {
      const { size, damage } = standing;
      const because = damage
        ? 'what stands there is damaged: it is kept, and is no good copy'
        : 'what stands there goes';
      return [{ kind: 'save', because, subject: target, size, damage }, restore];
    }
  }
}

/**
 * What the last removal, update or overwrite took away and nobody brought back yet, newest first: of each model what stood there before that
 * command began. Empty when there is nothing to take back.
 */
export function lastTaken(snapshots: readonly Snapshot[]): Snapshot[] {
  const open = snapshots
    .filter(({ backupType, undone }) => undone === null && undoable.has(backupType))
    .sort((a, b) => b.created.getTime() - a.created.getTime() || b.number - a.number);
  const [newest] = open;
  if (!newest) return [];
  const ofCommand = open.filter(({ operation }) => operation === newest.operation);
  const first = new Map(ofCommand.map((each) => [JSON.stringify(each.subject), each]));
  return ofCommand.filter((each) => [...first.values()].includes(each));
}

const undoable: ReadonlySet<Snapshot['backupType']> = new Set(['pre_deletion', 'pre_update'] as const);
