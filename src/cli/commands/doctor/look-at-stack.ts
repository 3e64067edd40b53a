import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostFacts } from '../../../adapters/host-facts.ts';
import type { ImagesExamined, ServiceExamined, Trouble } from '../../../doctor/examined.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { labels } from '../../../labels.ts';
import { parseDotenv } from '../../../stack/definition/dotenv.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import type { ContainerSummary } from '../../../stack/engine.ts';
import { identityOf, takenPorts } from '../../../stack/observe.ts';
import { isEngineProxy, portConflict } from '../../../stack/port-conflict.ts';
import { isOurs, matches } from '../../../stack/recreate/container-ref.ts';
import { mend } from '../../../stack/recreate/mend.ts';
import { serviceStatuses } from '../../../stack/status.ts';
import { servicesFolder } from '../../app.ts';
import { toStart } from '../stack/selection.ts';
import { ifKnown } from './examination.ts';
import type { Surroundings } from './surroundings.ts';

export async function lookAtServices(around: Surroundings): Promise<ServiceExamined[]> {
  const { context } = around;
  const [engine, definition, containers] = await Promise.all([
    around.engine(),
    around.definition(),
    around.ownContainers(),
  ]);
  const wanted = new Set(activeServices(around, definition).map(({ name }) => name));
  const statuses = await serviceStatuses(engine, definition, wanted, containers, context.signal);
  return statuses.map((status) => {
    const service = definition.services.get(status.service);
    return {
      ...status,
      onlyRename: service !== undefined && renamable(definition, service, containers) !== undefined,
    };
  });
}

/** The container of a service that lost nothing but its name to an interrupted recreate; undefined where more is to be done, or nothing. */
export function renamable(
  definition: StackDefinition,
  service: ServiceDefinition,
  containers: readonly ContainerSummary[],
): ContainerSummary | undefined {
  const identity = identityOf(definition, service);
  const found = matches(identity, containers);
  if (found.length !== 1 || !found.every(isOurs)) return undefined;
  if (containers.some(({ name }) => name === service.containerName)) return undefined;
  try {
    const { stays, goes, redeploy } = mend(identity, found, () => true);
    return goes.length === 0 && !redeploy ? stays?.container : undefined;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'refused') return undefined;
    throw error;
  }
}

/** Held ports of the services that the profiles let in. */
export async function lookAtPorts(around: Surroundings): Promise<(Trouble & { service: string })[]> {
  const definition = await around.definition();
  const known = await ifKnown(around.containers());
  const containers = known ? await around.ownContainers() : [];
  const services = activeServices(around, definition);
  const taken = await takenPorts(hostFacts, services, containers);
  // Unless its engine answers, the stack itself may hold them: by processes of the engine's, or some that this user can't see.
  const strangers = [...taken].filter(([, holder]) => known || (holder.process && !isEngineProxy(holder)));
  const observed = {
    containers,
    services: new Map(
      services.map((service) => [
        service.name,
        { definition: service, matches: matches(identityOf(definition, service), containers) },
      ]),
    ),
    takenPorts: new Map(strangers),
  };
  return services.flatMap((service) => {
    const conflict = portConflict(service, observed);
    return conflict
      ? [{ service: service.name, what: conflict.message, command: conflict.hint ?? null }]
      : [];
  });
}

/** What running services run on, and what stands in for the images that this version pins. */
export async function lookAtImages(around: Surroundings): Promise<ImagesExamined> {
  const [engine, definition, containers] = await Promise.all([
    around.engine(),
    around.definition(),
    around.ownContainers(),
  ]);
  const running = [...definition.services.values()].flatMap((service) => {
    const found = matches(identityOf(definition, service), containers);
    const container = found.map((match) => match.container).find(({ state }) => state === 'running');
    return container ? [{ service, container }] : [];
  });
  const drifted = await Promise.all(
    running.map(async ({ service, container }) => {
      const runs = container.labels[labels.image] ?? container.image;
      if (runs === service.image) {
        const here = await engine.inspectImage(service.image);
        if (!here || here.id === container.imageId) return [];
      }
      return [{ service: service.name, runs, named: service.image }];
    }),
  );
  return {
    drifted: drifted.flat(),
    overridden: around.context.ownStack ? await overriddenPins(around.context.home.envFile) : [],
  };
}

async function overriddenPins(envFile: string): Promise<ImagesExamined['overridden']> {
  const text = await readFile(envFile, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  if (text.trim() === '') return [];
  const set = new Map(parseDotenv(text, (name) => process.env[name]));
  const compose = await readFile(join(servicesFolder(), 'compose.yaml'), 'utf8');
  return [...compose.matchAll(/^\s*image:\s*\$\{(\w+):-([^}]+)\}/gm)].flatMap(
    ([, variable = '', pin = '']) => {
      const value = set.get(variable);
      return value !== undefined && value !== '' && value !== pin ? [{ variable, value, pin }] : [];
    },
  );
}

function activeServices({ context }: Surroundings, definition: StackDefinition): ServiceDefinition[] {
  return toStart(context, definition, { _: [], $0: 'aixcl' });
}
