import { AixclError } from '../../../errors.ts';
import { type Adopted, adoptions } from '../../../stack/adoption.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import { withAdopted, withExternal } from '../../../stack/home-overlay.ts';
import type { Observed } from '../../../stack/observe.ts';
import { type KeptVolume, keptVolumes } from '../../../stack/volumes/kept-volumes.ts';
import type { Context } from '../../context.ts';

/** Definition, the services that a start is about, and what was seen of them. */
export interface View {
  readonly definition: StackDefinition;
  readonly services: readonly ServiceDefinition[];
  readonly observed: Observed;
}

/** Data that was there before and lies elsewhere than services/compose.yaml has it. */
export interface DataKept {
  readonly adopted: readonly Adopted[];
  /** Volumes to be declared external, so that Compose leaves them as they are too. */
  readonly volumes: readonly KeptVolume[];
}

/** Where the containers that are taken over keep their data, so that every later start mounts it too. */
export function toAdopt(context: Context, { definition, services, observed }: View): Adopted[] {
  const adopted = adoptions(definition, services, {
    matchesOf: (service) => observed.services.get(service.name)?.matches ?? [],
    isFolder: (path) => observed.paths.get(path) !== 'file',
  });
  for (const { service, mounts } of adopted) {
    for (const mount of mounts) context.out.note(`${service} keeps ${mount.source} at ${mount.target}`);
  }
  if (adopted.length > 0 && context.flags.files.length > 0) {
    const sources = adopted.flatMap(({ mounts }) => mounts.map(({ source }) => source)).join(', ');
    throw new AixclError(
      'refused',
      'the containers to adopt keep their data where the files given by -f mount nothing of theirs',
      { hint: `Name ${sources} in your file, then: aixcl stack start --adopt` },
    );
  }
  return adopted;
}

/** The volumes that were there before. Those of files given by -f are left as they are too, and recorded nowhere. */
export function toKeep(context: Context, { definition, services, observed }: View): KeptVolume[] {
  const kept = keptVolumes(definition, services, observed);
  for (const { name, place } of kept) {
    context.out.note(`the volume ${name} was there before and is kept as it is: its bytes lie ${place}`);
  }
  return context.flags.files.length > 0 ? [] : kept;
}

/** Writes it into the home's overlay. Answers whether there was any. */
export async function recordKept(context: Context, { adopted, volumes }: DataKept): Promise<boolean> {
  if (adopted.length === 0 && volumes.length === 0) return false;
  const { changeOverlay } = await import('../../../adapters/overlay-file.ts');
  await changeOverlay(context.home.overlayFile, (overlay) =>
    withExternal(withAdopted(overlay, adopted), volumes),
  );
  return true;
}
