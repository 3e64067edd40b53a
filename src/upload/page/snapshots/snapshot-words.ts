import type { PageSnapshot } from '../../api.ts';

const types: Readonly<Record<string, string>> = {
  pre_deletion: 'before it was deleted',
  pre_update: 'before it was replaced',
  pre_consolidation: 'before consolidation',
  emergency: 'emergency',
  deleted_version: 'deleted version',
};

/** `Version v001`; `Backup, before it was deleted`. */
export function kindOf({ kind, id, backupType }: PageSnapshot): string {
  if (kind === 'version') return `Version ${/@(v\d+)$/.exec(id)?.[1] ?? ''}`.trim();
  return backupType === null ? 'Backup' : `Backup, ${types[backupType] ?? backupType}`;
}

export interface Group {
  readonly model: string;
  readonly runtime: string;
  readonly snapshots: readonly PageSnapshot[];
}

/** By model, the one that was saved last first; of each the newest first. */
export function byModel(snapshots: readonly PageSnapshot[]): Group[] {
  const groups = new Map<string, PageSnapshot[]>();
  for (const snapshot of snapshots) {
    const key = `${snapshot.runtime}/${snapshot.model}`;
    groups.set(key, [...(groups.get(key) ?? []), snapshot]);
  }
  return [...groups.values()].map((group) => ({
    model: group[0]!.model,
    runtime: group[0]!.runtime,
    snapshots: group,
  }));
}
