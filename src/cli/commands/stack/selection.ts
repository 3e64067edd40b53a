import type { Arguments } from 'yargs';
import { activeProfiles, activeServices } from '../../../stack/definition/active-services.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import { sharedService } from '../../../stack/dependency-order.ts';
import type { Context } from '../../context.ts';

/** Service names that a command was given. */
export function namesOf(argv: Arguments): string[] {
  return Array.isArray(argv.services) ? argv.services.map(String) : [];
}

/** How a verb was called, for its `result`: `stack start` or `service start`. */
export function calledAs(argv: Arguments, verb: string): string {
  return typeof argv.name === 'string' ? `service ${verb}` : `stack ${verb}`;
}

/**
 * The services to bring up: those named with what they depend on, else all that the profiles let in. `alone`: of what they depend on only
 * those whose network they share, by the id of its container.
 */
export function toStart(context: Context, definition: StackDefinition, argv: Arguments): ServiceDefinition[] {
  const names = namesOf(argv);
  const all = [...activeServices(definition, profilesOf(context), names).values()];
  if (argv.alone !== true) return all;
  const wanted = new Set(names);
  for (const name of wanted) {
    const service = definition.services.get(name);
    const shared = service && sharedService(service);
    if (shared) wanted.add(shared);
  }
  return all.filter(({ name }) => wanted.has(name));
}

/** The services to act on as they are: those named, else every one of the definition, whatever its profile. */
export function toActOn(context: Context, definition: StackDefinition, argv: Arguments): ServiceDefinition[] {
  const names = namesOf(argv);
  if (names.length === 0) return [...definition.services.values()];
  const known = activeServices(definition, profilesOf(context), names);
  return [...new Set(names)].flatMap((name) => known.get(name) ?? []);
}

function profilesOf(context: Context): string[] {
  return activeProfiles(context.flags.profiles, context.env);
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
