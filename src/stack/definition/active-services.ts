import { AixclError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import type { ServiceDefinition, StackDefinition } from './types.ts';

/** Profiles that are on: those of the command line, else those of `COMPOSE_PROFILES`. `*` stands for all. */
export function activeProfiles(
  flags: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const named = flags.length > 0 ? flags : (env.COMPOSE_PROFILES ?? '').split(',');
  return named.map((profile) => profile.trim()).filter((profile) => profile !== '');
}

/** True for a service without profiles, or with one of `profiles`. */
export function hasProfile(
  service: Pick<ServiceDefinition, 'profiles'>,
  profiles: readonly string[],
): boolean {
  if (service.profiles.length === 0 || profiles.includes('*')) return true;
  return service.profiles.some((profile) => profiles.includes(profile));
}

/**
 * The services that a command acts on, in file order, by Compose's rules: without `names` all that the profiles let in; with names those
 * (their own profiles count as on) and all that they depend on. Dependencies that are not required and not let in are left out, also
 * of `dependsOn`.
 * @throws AixclError `notFound` for a name that is no service; `usage` where a required dependency is off.
 */
export function activeServices(
  definition: StackDefinition,
  profiles: readonly string[],
  names: readonly string[] = [],
): Map<string, ServiceDefinition> {
  const all = definition.services;
  for (const name of names) if (!all.has(name)) throw unknownService(name, [...all.keys()]);
  const on = [...profiles, ...names.flatMap((name) => all.get(name)!.profiles)];
  const wanted = new Set(
    names.length > 0 ? names : [...all.keys()].filter((name) => hasProfile(all.get(name)!, profiles)),
  );
  // The set grows while it is walked: a dependency brings its own.
  for (const name of wanted) {
    for (const [other, dependency] of all.get(name)!.dependsOn) {
      const target = all.get(other);
      if (target && hasProfile(target, on)) wanted.add(other);
      else if (dependency.required) throw profileOff(name, other, target?.profiles ?? []);
    }
  }
  const result = new Map<string, ServiceDefinition>();
  for (const service of all.values()) {
    if (!wanted.has(service.name)) continue;
    const dependsOn = new Map([...service.dependsOn].filter(([other]) => wanted.has(other)));
    result.set(service.name, { ...service, dependsOn });
  }
  return result;
}

function unknownService(name: string, known: readonly string[]): AixclError {
  const guess = nearest(name, known);
  return new AixclError('notFound', `no service "${name}" in this definition`, {
    hint: guess ? `did you mean "${guess}"?` : `its services are ${known.join(', ')}`,
  });
}

function profileOff(name: string, other: string, profiles: readonly string[]): AixclError {
  return new AixclError('usage', `service "${name}" depends on "${other}", whose profile is not on`, {
    hint: `add --profile ${profiles[0] ?? 'NAME'}`,
  });
}
