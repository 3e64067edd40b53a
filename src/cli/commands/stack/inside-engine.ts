import { hostFacts } from '../../../adapters/host-facts.ts';
import { looksLikeModels, readSeen, recordSeen } from '../../../adapters/seen-volumes.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import { labels } from '../../../labels.ts';
import { shellWord } from '../../../shell-word.ts';
import type { VolumeDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import { boundFolder, folderBehind, usedVolumes } from '../../../stack/observe.ts';
import type { StartStep } from '../../../stack/start-step.ts';
import { guardName } from '../../../stack/volumes/guard.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import type { KeptVolume } from '../../../stack/volumes/kept-volumes.ts';
import type { Context } from '../../context.ts';
import type { View } from './keep-data.ts';

type CreateVolume = Extract<StartStep, { kind: 'create-volume' }>;

/**
 * The volumes among those that are about to be made as names for folders of the home which can be none, as the engine does not see these: made
 * inside the engine instead. Asked only where a volume is made, and an image is here to ask with.
 */
export async function toMakeInside(
  context: Context,
  engine: Engine,
  { definition, observed }: View,
  plan: readonly StartStep[],
): Promise<CreateVolume[]> {
  const { home, signal, ownStack } = context;
  const ofHome = plan.flatMap((step) => (isOfHome(step, home.root) ? step : []));
  if (!ownStack || ofHome.length === 0) return [];
  const { seesHome } = await import('../../../adapters/shared-files.ts');
  const images = imagesAtHand(definition, observed);
  if ((await seesHome(engine, { home: home.root, images, signal })) !== false) return [];
  return Promise.all(
    ofHome.map(async (step) => {
      await refuseFilledFolder(step.volume);
      context.out.note(
        `the engine does not see the files of this machine: the volume ${step.volume.name} lies inside the engine, and ${guardName} holds it`,
      );
      const { driver: _, ...volume } = step.volume;
      return {
        ...step,
        volume: { ...volume, external: true, driverOpts: new Map() },
        because: 'it does not exist; the engine, which does not see the files of this machine, keeps it',
      };
    }),
  );
}

function isOfHome(step: StartStep, home: string): step is CreateVolume {
  return (
    step.kind === 'create-volume' && (boundFolder(step.volume.driverOpts)?.startsWith(`${home}/`) ?? false)
  );
}

/** What lies in the folder would be hidden behind an empty volume. */
async function refuseFilledFolder({ name, driverOpts }: VolumeDefinition): Promise<void> {
  const folder = boundFolder(driverOpts);
  if (!folder || !(await hostFacts.holdsAnything(folder))) return;
  throw new AixclError(
    'refused',
    `the engine does not see the files of this machine, so the volume ${name} can be no name for ${folder}, which holds files`,
    {
      hint: `To begin with an empty volume inside the engine: mv ${shellWord(folder)} ${shellWord(`${folder}.aside`)} && aixcl stack start`,
    },
  );
}

/** As volumes that were there before: what is inside the engine is declared external. */
export function asKept({ volume }: CreateVolume): KeptVolume {
  const { key, name } = volume;
  return { key, name, holds: volume.labels.get(labels.holds), place: 'inside the engine' };
}

/** Looks for models in the volumes inside the engine that a start uses, but for those in which they were seen. Answers whether it saw any. */
export async function lookForModels(
  context: Context,
  engine: Engine,
  { definition, services, observed }: View,
): Promise<boolean> {
  const { home, signal } = context;
  const seen = await readSeen(home);
  const images = imagesAtHand(definition, observed);
  let any = false;
  for (const { name } of usedVolumes(definition, services)) {
    const volume = observed.volumes.get(name);
    if (!volume || folderBehind(volume) !== undefined || seen.get(name)?.modelsSeen) continue;
    const models = await looksLikeModels(engine, volume, { home, images, signal });
    if (models === undefined) continue;
    await recordSeen(home, name, models).catch((error: unknown) => {
      context.out.warn(`that the volume ${name} was looked into can't be recorded: ${reasonOf(error)}`);
    });
    any ||= models;
  }
  return any;
}
