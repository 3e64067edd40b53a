import type { BuildDefinition } from './definition/types.ts';

/** Images that a build may stand on, as its arguments name them: those of `…_IMAGE`. */
export function basesOf({ args }: BuildDefinition): string[] {
  return baseArguments({ args }).map(([, value]) => value);
}

/** The same with the argument's name, by which another one is named. */
export function baseArguments({
  args,
}: Pick<BuildDefinition, 'args'>): (readonly [name: string, value: string])[] {
  return [...args].filter(([name, value]) => name.endsWith('_IMAGE') && value !== '');
}
