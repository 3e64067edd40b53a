import { normalize } from 'node:path';
import { AixclError } from '../../errors.ts';
import { composeLabels, labels } from '../../labels.ts';
import type { StackDefinition, VolumeDefinition } from '../../stack/definition/types.ts';
import type { Engine } from '../../stack/engine.ts';
import { boundFolder } from '../../stack/observe.ts';
import { ownLabels } from '../../stack/own-labels.ts';
import type { Subject } from '../../vault/subject.ts';
import type { SavedVolumeOptions } from './saved-tree.ts';

export interface MakeVolumeWorld {
  readonly engine: Engine;
  readonly definition: StackDefinition;
  /** AIXCL_HOME. */
  readonly home: string;
  /** Makes a folder of the home, where it is not there. */
  makeFolder(path: string): Promise<void>;
}

/**
 * Makes the volume that a snapshot is put into: by the definition where it has one of this name, else as it was recorded. A record may come
 * from anywhere: what it says is followed where that leads into the engine or into the home, and nowhere else.
 */
export async function makeVolume(
  { engine, definition, home, makeFolder }: MakeVolumeWorld,
  name: string,
  subject: Subject,
  recorded: SavedVolumeOptions | undefined,
): Promise<void> {
  const defined = [...definition.volumes.values()].find((volume) => volume.name === name && !volume.external);
  if (defined) {
    const folder = boundFolder(defined.driverOpts);
    if (folder && isInside(folder, home)) await makeFolder(folder);
    const own = { ...ownLabels(home, definition.project), [composeLabels.volume]: defined.key };
    return await engine.createVolume(defined, { ...Object.fromEntries(defined.labels), ...own });
  }
  // Under another name it is another volume, which can't be a name for the same folder.
  const {
    driver,
    options,
    labels: own,
  } = recorded && name === subject.name ? recorded : { driver: 'local', options: {}, labels: {} };
  const folder = boundFolder(options);
  const leads = driver !== 'local' || (Object.keys(options).length > 0 && !isInside(folder, home));
  if (leads) throw madeByHand(name, driver, options);
  if (folder) await makeFolder(folder);
  const volume: VolumeDefinition = {
    key: name,
    name,
    external: false,
    driver,
    driverOpts: new Map(Object.entries(options)),
    labels: new Map(),
  };
  // On another machine, or after a move, it is this home's.
  await engine.createVolume(volume, own[labels.home] === undefined ? own : { ...own, [labels.home]: home });
}

function isInside(folder: string | undefined, home: string): boolean {
  return folder !== undefined && normalize(folder).startsWith(`${home}/`);
}

function madeByHand(name: string, driver: string, options: Readonly<Record<string, string>>): AixclError {
  const words = Object.entries(options).map(([key, value]) => `-o '${key}=${value}'`);
  return new AixclError(
    'refused',
    `there is no volume ${name}, no definition has it, and its record leads out of the home: make it yourself, if that is right`,
    { hint: `docker volume create -d ${driver} ${words.join(' ')} ${name}; then run the command again` },
  );
}
