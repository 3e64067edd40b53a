import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import { deepest } from '../../../adapters/ollama/locate.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { labels } from '../../../labels.ts';
import type {
  ServiceDefinition,
  StackDefinition,
  VolumeDefinition,
} from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import type { FolderVolume } from '../../../stack/home-overlay.ts';
import { boundFolder, folderBehind, identityOf } from '../../../stack/observe.ts';
import { isOurs } from '../../../stack/recreate/container-ref.ts';
import { theOne } from '../../../stack/recreate/mend.ts';
import { ollamaModelsPath } from '../../../stack/volumes/volume-contents.ts';
import type { Context } from '../../context.ts';
import type { ObservedMove } from './move-home-plan.ts';

export interface SeenMove extends ObservedMove {
  /** Ollama's folder `models` in the folder of the home. */
  readonly models: string;
}

/** What moving Ollama out of the volume `name` needs to know. Throws `refused` where another file than ours says where its models lie. */
export async function observeMove(context: Context, engine: Engine, name: string): Promise<SeenMove> {
  const definition = await context.definition();
  const { home } = context;
  if (!context.ownStack) throw notTheHomes();
  const { volume, service, below } = mountedVolume(definition);
  await refuseOverride(home.overrideFile, volume.key);
  const switched = volume.name !== name && boundFolder(volume.driverOpts) === home.ollama;
  if (!switched && volume.name !== name) {
    throw new AixclError('refused', `the definition keeps Ollama's models in the volume ${volume.name}`, {
      hint: `aixcl stack start ollama, which makes its container anew; then run it again`,
    });
  }
  const containers = await engine.listContainers();
  const match = theOne(identityOf(definition, service), containers);
  const holds = volume.labels.get(labels.holds);
  const folder: FolderVolume = {
    key: volume.key,
    name: switched ? volume.name : await freeName(engine, `aixcl-${service.name}`, home.ollama),
    folder: 'ollama',
    holds: holds ?? 'models',
  };
  return {
    volume: name,
    folder,
    path: home.ollama,
    models: join(home.ollama, below),
    switched,
    container: match && { summary: match.container, isOurs: isOurs(match) },
    containers,
  };
}

interface Mounted {
  readonly volume: VolumeDefinition;
  readonly service: ServiceDefinition;
  /** Of Ollama's folder `models`, below the mount. */
  readonly below: string;
}

/** The volume that the definition has where Ollama keeps its models. */
function mountedVolume({ services, volumes }: StackDefinition): Mounted {
  const service = services.get('ollama');
  const models = ollamaModelsPath(service?.environment ?? new Map());
  const mount = service && deepest(service.mounts, models);
  const volume = mount?.kind === 'volume' && mount.source ? volumes.get(mount.source) : undefined;
  if (service && mount && volume) return { volume, service, below: posix.relative(mount.target, models) };
  throw new AixclError('refused', "the definition keeps Ollama's models in no volume", {
    hint: 'aixcl stack status',
  });
}

/** A name that no volume has, but for one that is a name for this folder already. */
async function freeName(engine: Engine, wanted: string, folder: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    const found = await engine.inspectVolume(name);
    if (!found || folderBehind(found) === folder) return name;
  }
}

/** The user's own file is merged over ours, and would undo the switch. */
async function refuseOverride(file: string, key: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const own = parse(text, { logLevel: 'error' }) as { volumes?: Record<string, unknown> | null } | null;
  if (!own?.volumes || !(key in own.volumes)) return;
  throw new AixclError(
    'refused',
    `${file} says where the volume ${key} is, and that goes over what aixcl writes`,
    {
      hint: `Take ${key} out of its volumes, see that aixcl stack status still shows the volume, then run it again.`,
    },
  );
}

function notTheHomes(): AixclError {
  return new AixclError('refused', 'only the stack of this home can be moved, and -f or -p names another', {
    hint: 'Without -f and -p; or change the volume in your file.',
  });
}
