import { AixclError } from '../../errors.ts';
import type { ServiceDefinition, StackDefinition } from '../definition/types.ts';
import type { ContainerSummary } from '../engine.ts';
import { identityOf } from '../observe.ts';
import { type Match, matches } from './container-ref.ts';
import { choose, type Mended, mend } from './mend.ts';
import { definedData } from './own-data.ts';
import { isFailed } from './set-aside.ts';

/** A service's container, and what is odd about it. */
export interface Standing {
  /** The one that would be shown; undefined: there is none. */
  readonly match: Match | undefined;
  /** For people, with the command that mends it; null when nothing is odd. */
  readonly condition: string | null;
  /** Names of all that could be it, where none can be chosen. */
  readonly candidates: readonly string[] | undefined;
}

export function standing(
  definition: StackDefinition,
  service: ServiceDefinition,
  containers: readonly ContainerSummary[],
): Standing {
  const identity = identityOf(definition, service);
  const found = matches(identity, containers);
  const chosen = choose(identity, found);
  const holder = containers.find(({ name }) => name === service.containerName);
  const foreign = found.some(({ container }) => container === holder) ? undefined : holder;
  return {
    match: chosen ?? found[0],
    condition: found.length > 0 ? conditionOf(definition, service, found, foreign) : null,
    candidates: chosen || found.length === 0 ? undefined : namesOf(found),
  };
}

function conditionOf(
  definition: StackDefinition,
  service: ServiceDefinition,
  found: readonly Match[],
  foreign: ContainerSummary | undefined,
): string | null {
  const restart = `aixcl service restart ${service.name}`;
  let mended: Mended;
  try {
    // Which one fits the definition is not known here; it changes who goes, not that this is mended.
    mended = mend(identityOf(definition, service), found, () => false, definedData(definition, service));
  } catch (error) {
    if (error instanceof AixclError && error.code === 'refused') return error.message;
    throw error;
  }
  if (mended.redeploy) return ofRedeploy(service, mended.redeploy);
  const { stays, goes } = mended;
  const left = namesOf(goes.map(({ match }) => match)).join(', ');
  if (!stays)
    return `a redeploy that failed left ${left} behind; aixcl service start ${service.name} makes it anew`;
  const { container, matchedBy } = stays;
  if (container.name !== service.containerName) {
    const beside = left ? ` and ${left} stands beside it` : '';
    if (foreign) {
      return `its container is called ${container.name}${beside}, and its name is taken by another one: docker rename ${foreign.name} ${foreign.name}-other, then ${restart}`;
    }
    if (matchedBy === 'prefix') {
      return `only its name tells that ${container.name} belongs to it, an interrupted recreate perhaps; ${restart} gives it its name back, aixcl stack start --adopt takes it over`;
    }
    return `its container is called ${container.name}${beside}: an interrupted recreate; ${restart} ${left ? 'mends that' : 'gives it its name back'}`;
  }
  if (left) {
    const what = goes.every(({ match }) => isFailed(match.container))
      ? 'a redeploy that failed'
      : 'an interrupted recreate';
    return `${what} left ${left} beside it; ${restart} mends that`;
  }
  if (matchedBy === 'name') return 'aixcl did not make it; aixcl stack start --adopt takes it over';
  return null;
}

function ofRedeploy(
  service: ServiceDefinition,
  { old, replacement }: NonNullable<Mended['redeploy']>,
): string {
  const start = `aixcl service start ${service.name}`;
  if (!replacement) {
    return `its container is called ${old.container.name}: a redeploy is under way, or was interrupted; ${start} gives it its name back`;
  }
  return `${replacement.container.name} is to replace ${old.container.name}, which is kept until the new one is known to be healthy; ${start} removes it then, or goes back to it`;
}

function namesOf(found: readonly Match[]): string[] {
  return found.map(({ container }) => container.name);
}
