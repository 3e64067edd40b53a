import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { ServiceDefinition, StackDefinition, VolumeDefinition } from './definition/types.ts';
import type { VolumeSummary } from './engine.ts';
import { boundFolder, folderBehind, keepsItsPlace, type Observed, usedVolumes } from './observe.ts';
import type { StartStep, StartWish } from './start-step.ts';
import { placeOf } from './volumes/kept-volumes.ts';

export function planNetworks(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
): StartStep[] {
  const keys = new Set(services.flatMap((service) => [...service.networks.keys()]));
  return [...keys].flatMap((key): StartStep[] => {
    const network = definition.networks.get(key);
    if (!network || observed.networks.get(network.name)) return [];
    if (network.external) {
      throw new AixclError(
        'notFound',
        `the network ${network.name} is declared external and does not exist`,
        {
          hint: `docker network create ${network.name}`,
        },
      );
    }
    return [{ kind: 'create-network', network, because: 'it does not exist' }];
  });
}

/** A volume that exists is used as it is: it is never made anew, however its definition changed. */
export function planVolumes(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
): StartStep[] {
  return usedVolumes(definition, services).flatMap((volume): StartStep[] => {
    const found = observed.volumes.get(volume.name);
    if (found) {
      refuseOtherFolder(volume, found);
      refuseTwoPlaces(volume, found, observed);
      return [];
    }
    if (volume.external) {
      throw new AixclError('notFound', `the volume ${volume.name} is declared external and does not exist`, {
        hint: `A new, empty one: docker volume create ${volume.name} && aixcl stack start. What was saved of it, afterwards: aixcl backups list, aixcl backups restore ID`,
      });
    }
    const folder = boundFolder(volume.driverOpts);
    return [
      {
        kind: 'create-volume',
        volume,
        because: folder ? `it does not exist; it is a name for ${folder}` : 'it does not exist',
      },
    ];
  });
}

/** After a home was moved, the volume still is a name for its old folder; a runtime on it would work on the wrong one, or on none. */
function refuseOtherFolder(volume: VolumeDefinition, found: VolumeSummary): void {
  const wanted = boundFolder(volume.driverOpts);
  const named = folderBehind(found);
  if (!wanted || !named || wanted === named) return;
  throw new AixclError(
    'refused',
    `the volume ${volume.name} is a name for ${named}, and this home keeps it in ${wanted}`,
    {
      hint: `The volume is only a name; no file goes with it: docker volume rm ${volume.name} && aixcl stack start (docker rm what still uses it)`,
    },
  );
}

/** What both hold may be models, and a runtime would see one of them alone: a `docker run -v NAME:…` after a `docker volume rm` makes the volume anew, and empty. */
function refuseTwoPlaces(volume: VolumeDefinition, found: VolumeSummary, observed: Observed): void {
  const folder = boundFolder(volume.driverOpts);
  if (!keepsItsPlace(volume, found) || !folder || !observed.bypassed.has(folder)) return;
  throw new AixclError(
    'refused',
    `the volume ${volume.name} keeps its bytes ${placeOf(found)}, and ${folder}, which it should be a name for, holds files too`,
    {
      hint: `To use the folder: aixcl stack clean --volumes ${volume.name}, which saves what the volume holds, then aixcl stack start. To use the volume: mv ${shellWord(folder)} ${shellWord(`${folder}.aside`)} && aixcl stack start`,
    },
  );
}

/** Folders of the home are made (models, and those behind volumes); any other bind source that is missing is an error. */
export function planFolders(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
  isHomeFolder: StartWish['isHomeFolder'],
): StartStep[] {
  const missing = (path: string) => observed.paths.get(path) === 'missing';
  const steps = new Map<string, StartStep>();
  for (const service of services) {
    for (const mount of service.mounts) {
      if (mount.kind !== 'bind' || mount.createSource || !missing(mount.source)) continue;
      if (!isHomeFolder(mount.source)) throw missingSource(service, mount.source, mount.target);
      steps.set(mount.source, {
        kind: 'make-directory',
        path: mount.source,
        because: `${service.name} mounts it`,
      });
    }
  }
  for (const volume of usedVolumes(definition, services)) {
    const path = boundFolder(volume.driverOpts);
    const found = observed.volumes.get(volume.name);
    if (path && missing(path) && !keepsItsPlace(volume, found)) {
      // A disk that is not mounted must not become an empty store; nor one whose folder was moved away.
      if (!isHomeFolder(path) || found) throw missingFolder(volume.name, path);
      steps.set(path, {
        kind: 'make-directory',
        path,
        because: `the volume ${volume.name} is a name for it`,
      });
    }
  }
  return [...steps.values()];
}

function missingSource(service: ServiceDefinition, source: string, target: string): AixclError {
  return new AixclError('usage', `${service.name} mounts ${source} at ${target}, and there is no ${source}`, {
    hint: `Mend the path in the definition, or make the folder: mkdir -p ${shellWord(source)}`,
  });
}

function missingFolder(volume: string, path: string): AixclError {
  return new AixclError('refused', `the volume ${volume} is a name for ${path}, and there is no ${path}`, {
    hint: `Mount its disk, or bring the folder back. To begin with an empty one: mkdir -p ${shellWord(path)}`,
  });
}
