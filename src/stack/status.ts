import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { ContainerState, ContainerSummary, Engine, Health, PublishedPort } from './engine.ts';
import { runHealthcheck } from './health-probe.ts';
import { type Standing, standing } from './recreate/condition.ts';
import type { MatchedBy } from './recreate/container-ref.ts';

export interface ServiceStatus {
  readonly service: string;
  readonly container: string | null;
  readonly id: string | null;
  /** `absent`: there is no container. */
  readonly state: ContainerState | 'absent';
  readonly health: Health | null;
  readonly matchedBy: MatchedBy | null;
  readonly image: string;
  readonly ports: readonly PublishedPort[];
  /** The engine's words for how long it has been so. */
  readonly status: string;
  /** What is odd about it, for people; null when nothing is. */
  readonly condition: string | null;
  /** The other containers that could be this service, where one alone can't be told. */
  readonly candidates?: readonly string[];
}

/** The services that count: those that the profiles let in, and any other that has a container. */
export async function serviceStatuses(
  engine: Engine,
  definition: StackDefinition,
  wanted: ReadonlySet<string>,
  containers: readonly ContainerSummary[],
  signal: AbortSignal,
): Promise<ServiceStatus[]> {
  const found = await Promise.all(
    [...definition.services.values()].map(async (service) => {
      const found = standing(definition, service, containers);
      if (!found.match && !wanted.has(service.name)) return undefined;
      return serviceStatus(engine, service, found, signal);
    }),
  );
  return found.filter((status) => status !== undefined);
}

async function serviceStatus(
  engine: Engine,
  service: ServiceDefinition,
  { match, condition, candidates }: Standing,
  signal: AbortSignal,
): Promise<ServiceStatus> {
  if (!match) {
    return {
      service: service.name,
      container: null,
      id: null,
      state: 'absent',
      health: null,
      matchedBy: null,
      image: service.image,
      ports: [],
      status: 'no container',
      condition: null,
    };
  }
  const { container, matchedBy } = match;
  return {
    service: service.name,
    container: container.name,
    id: container.id,
    state: container.state,
    health: await healthNow(engine, container, signal),
    matchedBy,
    image: container.image,
    ports: container.ports,
    status: container.status,
    condition,
    ...(candidates && { candidates }),
  };
}

/** How long a status waits for a health check. */
const probeMs = 2000;

/** While the engine has not yet run the health check (it waits a whole interval), we run it. */
async function healthNow(engine: Engine, container: ContainerSummary, signal: AbortSignal): Promise<Health> {
  if (container.state !== 'running' || container.health !== 'starting') return container.health;
  const detail = await engine.inspectContainer(container.id);
  if (!detail) return 'none';
  return (await runHealthcheck(engine, detail, signal, probeMs)).ok ? 'healthy' : 'starting';
}

/** Running, and healthy where it can tell. */
export function isHealthy({ state, health, candidates }: ServiceStatus): boolean {
  return state === 'running' && (health === 'healthy' || health === 'none') && !candidates;
}
