import type { Step } from '../plan/step.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';

/** Steps that bring one snapshot back. `save` keeps what stands there first; `keep` leaves what is the same already. */
export type RestoreStep = Step<{
  save: { readonly subject: Subject; readonly size: number; readonly damage: string | null };
  restore: { readonly snapshot: Snapshot; readonly target: Subject };
  keep: { readonly snapshot: Snapshot; readonly target: Subject };
  /** A version that was deleted, `was`, is one again. */
  reinstate: { readonly snapshot: Snapshot; readonly was: string };
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
 * What removals, updates and overwrites took away and nobody brought back yet: a list a command, the newest first, with what stood there
 * before that command began, of each model. A backup that somebody asked for took nothing away, whatever its type.
 */
export function takings(snapshots: readonly Snapshot[]): Snapshot[][] {
  const open = snapshots
    .filter(({ undone, facts }) => undone === null && facts.taken === true)
    .sort((a, b) => b.created.getTime() - a.created.getTime() || b.number - a.number);
  const commands = new Map<string, Snapshot[]>();
  for (const each of open) commands.set(each.operation, [...(commands.get(each.operation) ?? []), each]);
  return [...commands.values()].map((ofCommand) => {
    const first = new Map(ofCommand.map((each) => [JSON.stringify(each.subject), each]));
    return ofCommand.filter((each) => [...first.values()].includes(each));
  });
}

/** Facts of a snapshot of what was about to be taken away: what `takings` knows it by. */
export const takenAway = { taken: true } as const;
