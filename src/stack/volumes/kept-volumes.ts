import { labels } from '../../labels.ts';
import type { ServiceDefinition, StackDefinition } from '../definition/types.ts';
import type { VolumeSummary } from '../engine.ts';
import { keepsItsPlace, type Observed, usedVolumes } from '../observe.ts';

/** A volume that was there before and keeps its bytes where they are, though the definition would make a name for a folder. */
export interface KeptVolume {
  readonly key: string;
  readonly name: string;
  /** As the label `io.aixcl.holds` of the definition says. */
  readonly holds: string | undefined;
  /** For people: `inside the engine`. */
  readonly place: string;
}

/** Those among the volumes of these services. Nothing that Compose may think of making anew: it asks to, where options differ. */
export function keptVolumes(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  { volumes }: Pick<Observed, 'volumes'>,
): KeptVolume[] {
  return usedVolumes(definition, services).flatMap((volume) => {
    const found = volumes.get(volume.name);
    if (!found || !keepsItsPlace(volume, found)) return [];
    const { key, name } = volume;
    return [{ key, name, holds: volume.labels.get(labels.holds), place: placeOf(found) }];
  });
}

/** Where a volume's bytes lie that is no name for a folder. */
export function placeOf({ driver, options }: VolumeSummary): string {
  if (driver !== 'local') return `where its driver ${driver} has them`;
  return Object.keys(options).length === 0 ? 'inside the engine' : 'where its options say';
}
