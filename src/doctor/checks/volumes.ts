import prettyBytes from 'pretty-bytes';
import { shellWord } from '../../shell-word.ts';
import { isHeldFast, type VolumeStatus } from '../../stack/volumes/volume-status.ts';
import type { Examined, OtherVolume } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, few } from '../words.ts';

/** Volumes: ours that nothing holds, and those of others that models lie in. */
export function checkVolumes({ volumes = [], otherVolumes = [] }: Examined): Finding[] {
  return [
    ...volumes.filter(({ gone }) => gone).map(lost),
    ...volumes.flatMap((volume) => hiding(volume) ?? []),
    ...unheldVolumes(volumes).map(unheld),
    ...otherVolumes.flatMap((volume) => withModels(volume) ?? []),
  ];
}

/** Volumes with something precious in them that a prune can take as soon as no container runs, each with what ends that. */
export function exposedModels({
  volumes = [],
  otherVolumes = [],
}: Pick<Examined, 'volumes' | 'otherVolumes'>): { readonly name: string; readonly command: string }[] {
  const ours = unheldVolumes(volumes);
  const others = otherVolumes.filter((volume) => !isBroughtOver(volume) && !isHeldFast(volume.heldBy));
  return [
    ...ours.map(({ name }) => ({ name, command: 'aixcl doctor --fix' })),
    ...others.map(({ name }) => ({ name, command: moveOf(name) })),
  ];
}

/** Those of ours that hold something precious and that nothing holds, or a container that may stop. */
export function unheldVolumes(volumes: readonly VolumeStatus[]): VolumeStatus[] {
  return volumes.filter((volume) => isPrecious(volume) && !isHeldFast(volume.heldBy));
}

function isPrecious({ exists, holds, lostFolder }: VolumeStatus): boolean {
  return exists && holds !== 'disposable' && lostFolder === null;
}

function lost({ name, holds }: VolumeStatus): Finding {
  const again = `docker volume create ${shellWord(name)} && aixcl stack start`;
  return {
    check: 'volume-gone',
    level: 'danger',
    what: `the volume ${name} (${holds}), which was there before, is gone`,
    why: 'Its service can not start. Find it on this engine first (docker volume ls). Else begin with an empty one, and bring back what was saved: aixcl backups list, aixcl backups restore ID.',
    command: again,
    fixable: false,
  };
}

/** Such a volume is made when something mounts the name after the volume was removed. */
function hiding({ name, hides }: VolumeStatus): Finding | undefined {
  if (hides === null) return undefined;
  return {
    check: 'volume-hides-folder',
    level: 'problem',
    what: `the volume ${name} is not the one of this home: what the home has lies in ${hides}`,
    why: 'Nothing of that is served, and stack start refuses to choose. What the volume holds is saved before it goes.',
    command: `aixcl stack clean --volumes ${shellWord(name)}`,
    fixable: false,
  };
}

function unheld({ name, holds, heldBy }: VolumeStatus): Finding {
  const content = holds === 'unknown' ? 'nobody knows what' : holds;
  const forGood = holds === 'models' ? ` Into a folder of this home, out of any reach: ${moveOf(name)}.` : '';
  if (heldBy === null) {
    return {
      check: 'volume-unheld',
      level: 'danger',
      what: `the volume ${name} (${content}) is held by nothing`,
      why: `docker system prune --volumes, docker volume prune or docker volume rm deletes it, with all that is in it.${forGood}`,
      command: 'aixcl doctor --fix',
      fixable: true,
    };
  }
  return {
    check: 'volume-half-held',
    level: 'problem',
    what: `the volume ${name} (${content}) is held by the ${heldBy} alone`,
    why: `Once that is stopped, docker system prune --volumes or docker volume prune deletes it.${forGood}`,
    command: 'aixcl doctor --fix',
    fixable: true,
  };
}

function isBroughtOver({ models, here, broughtOver }: OtherVolume): boolean {
  return here === null ? broughtOver : models !== null && models > 0 && here === models;
}

/** Those of others with models that are not here, and that a guard can hold. */
export function unheldModels(volumes: readonly OtherVolume[]): OtherVolume[] {
  return volumes.filter(
    (volume) =>
      volume.models !== 0 && !isBroughtOver(volume) && !isHeldFast(volume.heldBy) && volume.inEngine,
  );
}

function withModels(volume: OtherVolume): Finding | undefined {
  const { name, heldBy, models, here, taken } = volume;
  if (models === 0) return undefined;
  if (isBroughtOver(volume)) return twice(volume);
  const { level, why } = standing(heldBy);
  const fixable = unheldModels([volume]).length > 0;
  const until = fixable ? ' Until then, aixcl doctor --fix has the guard hold it.' : '';
  if (taken.length > 0 && models === taken.length + (here ?? 0)) {
    return {
      check: 'volume-names-taken',
      level,
      what: `the volume ${name} holds ${missingOf(volume)} that can't come here, as another of that name is: ${few(taken)}`,
      why: `No service here uses what is in it${why} To have that one: aixcl models remove NAME, which keeps the one here in the vault, then the command below. To have both, first give the one here a further name: ollama cp NAME OTHER.${until}`,
      command: moveOf(name),
      fixable,
    };
  }
  return {
    check: 'volume-with-models',
    level,
    what: `the volume ${name} holds ${missingOf(volume)} that this home does not have`,
    why: `No service here uses what is in it${why}${until}`,
    command: moveOf(name),
    fixable,
  };
}

/** That it may go is said only where nothing goes with it that is not here. */
function twice(volume: OtherVolume): Finding {
  const { name, onlyThere, path, heldBy } = volume;
  const note = { check: 'volume-brought-over', level: 'note', fixable: false } as const;
  const what = `the volume ${name} holds ${amountOf(volume)} that this home has too`;
  const isGuarded = heldBy?.startsWith('guard ') === true;
  const savesFirst = isGuarded ? `aixcl stack clean --volumes ${shellWord(name)}` : undefined;
  if (onlyThere?.length === 0) {
    const why = 'It takes room twice. Once aixcl models verify found all right here, the volume may go.';
    return { ...note, what, why, command: savesFirst ?? `docker volume rm ${shellWord(name)}` };
  }
  const copy = path === null ? null : `aixcl backups create ${shellWord(path)}`;
  const command = savesFirst ?? copy;
  const how = command === null ? '' : ' The command below saves all of it.';
  if (onlyThere === null) {
    const why = `What else lies in it could not be looked at from here: look before it goes.${how}`;
    return { ...note, what, why, command };
  }
  const more = `, and ${count(onlyThere.length, 'file')} that ${onlyThere.length === 1 ? 'is' : 'are'} not here: ${few(onlyThere)}`;
  return { ...note, what: what + more, why: `With the volume that would go too.${how}`, command };
}

function standing(heldBy: string | null): Pick<Finding, 'level' | 'why'> {
  if (heldBy === null) {
    const why = ', nothing holds it, and docker system prune --volumes or docker volume prune deletes it.';
    return { level: 'danger', why };
  }
  if (isHeldFast(heldBy))
    return { level: 'note', why: `. No clean-up takes it: it is held by the ${heldBy}.` };
  return { level: 'problem', why: `, and the ${heldBy} alone stands between it and a prune.` };
}

/** Those of its models that are not here. */
function missingOf({ models, here, missingBytes, bytes }: OtherVolume): string {
  const missing = models === null ? null : models - (here ?? 0);
  return amountOf({ models: missing, bytes: missingBytes ?? bytes });
}

function amountOf({ models, bytes }: Pick<OtherVolume, 'models' | 'bytes'>): string {
  const number = models === null ? 'models' : count(models, 'model');
  return bytes === null ? number : `${number} (${prettyBytes(bytes)})`;
}

function moveOf(name: string): string {
  return `aixcl doctor --move ${shellWord(name)}`;
}
