import type { Step } from '../plan/step.ts';
import { unheldModels, unheldVolumes } from './checks/volumes.ts';
import type { Examined } from './examined.ts';

/** What `doctor --fix` does: nothing that takes anything away but what killed commands left, and nothing that can't be taken back. */
export type FixStep = Step<{
  'hold-volume': { volume: string };
  'rename-container': { service: string };
  'settle-names': object;
  'clear-ingest': { path: string };
  'remove-helper': { helper: string };
}>;

/** Which checks a step answers. Every fixable finding is of one of these. */
export const answers: Readonly<Record<FixStep['kind'], readonly string[]>> = {
  'hold-volume': ['volume-unheld', 'volume-half-held', 'volume-with-models', 'volume-names-taken'],
  'rename-container': ['service-interrupted'],
  'settle-names': ['names-half-changed'],
  'clear-ingest': ['ingest-leftover'],
  'remove-helper': ['helper-left'],
};

/** Steps in the order in which they are taken: what may be lost first. */
export function planFix(examined: Examined): FixStep[] {
  const { volumes = [], otherVolumes = [], services = [], leftovers, vault } = examined;
  const ours = unheldVolumes(volumes);
  const others = unheldModels(otherVolumes).filter(({ name }) => !ours.some((one) => one.name === name));
  const steps: FixStep[] = [...ours, ...others].map(({ name, heldBy }) => ({
    kind: 'hold-volume',
    volume: name,
    because: heldBy === null ? 'nothing holds it' : `only the ${heldBy} holds it`,
  }));
  for (const { service, onlyRename } of services) {
    if (!onlyRename) continue;
    const because = 'an interrupted recreate took its name away, and nothing else';
    steps.push({ kind: 'rename-container', service, because });
  }
  if (leftovers?.unfinishedNames) {
    steps.push({ kind: 'settle-names', because: 'a killed command left names of models half changed' });
  }
  if (vault && vault.ingest.files > 0) {
    steps.push({
      kind: 'clear-ingest',
      path: vault.path,
      because: 'a killed command left unfinished files there',
    });
  }
  for (const helper of leftovers?.helpers ?? []) {
    steps.push({ kind: 'remove-helper', helper, because: 'its command was killed' });
  }
  return steps;
}

/** Name of what a step acts on. */
export function targetOf(step: FixStep): string {
  switch (step.kind) {
    case 'hold-volume':
      return step.volume;
    case 'clear-ingest':
      return step.path;
    case 'rename-container':
      return step.service;
    case 'settle-names':
      return 'names of models';
    case 'remove-helper':
      return step.helper;
  }
}
