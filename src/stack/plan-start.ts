import { AixclError } from '../errors.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { inDependencyOrder, sharedService } from './dependency-order.ts';
import { driftOf } from './drift.ts';
import { identityOf, type Observed } from './observe.ts';
import { planImages } from './plan-images.ts';
import { planFolders, planNetworks, planVolumes } from './plan-resources.ts';
import { portConflict } from './port-conflict.ts';
import type { Match } from './recreate/container-ref.ts';
import { isStray, mend } from './recreate/mend.ts';
import { definedData } from './recreate/own-data.ts';
import { planInterrupted, planReplacement, withUnproven } from './recreate/plan-redeploy.ts';
import type { StartStep, StartWish } from './start-step.ts';
import { planHolding } from './volumes/plan-holding.ts';

/** What has to happen so that these services run as they are defined. Throws `refused` where that is not safe. */
export function planStart(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
  wish: StartWish,
): StartStep[] {
  const parts: StartStep[][] = [];
  for (const service of inDependencyOrder(services)) {
    parts.push(planService({ definition, observed, wish, before: parts.flat() }, service));
  }
  return [
    ...planFolders(definition, observed, services, wish.isHomeFolder),
    ...planImages(observed, inDependencyOrder(services), parts, wish),
    ...planNetworks(definition, observed, services),
    ...planVolumes(definition, observed, services),
    ...planHolding(definition, observed, services, wish, parts.flat()),
    ...parts.flat(),
    ...planRestarts(services, parts),
  ];
}

interface Planning {
  readonly definition: StackDefinition;
  readonly observed: Observed;
  readonly wish: StartWish;
  /** Steps of the services that come before this one. */
  readonly before: readonly StartStep[];
}

function planService(planning: Planning, service: ServiceDefinition): StartStep[] {
  const { definition, observed, wish } = planning;
  const driftNow = (one: Match) =>
    driftOf(definition, observed, service, one) ?? lostNetwork(planning, service, one);
  const { stays, goes, redeploy } = withUnproven(
    mend(
      identityOf(definition, service),
      observed.services.get(service.name)?.matches ?? [],
      (one) => driftOf(definition, observed, service, one) === undefined,
      definedData(definition, service),
    ),
  );
  const removals = goes.map(
    ({ match: { container }, because }): StartStep => ({
      kind: 'remove-leftover',
      service: service.name,
      id: container.id,
      name: container.name,
      because,
    }),
  );
  const wait: StartStep[] = wish.wait
    ? [
        {
          kind: 'wait',
          service: service.name,
          byHealth: service.healthcheck !== undefined,
          because: service.healthcheck ? 'its health decides' : 'it has to stay up',
        },
      ]
    : [];
  const gone = new Set(goes.map((one) => one.match.container.id));
  if (redeploy) {
    const fits = redeploy.replacement !== undefined && driftNow(redeploy.replacement) === undefined;
    const { steps, match } = planInterrupted(service, redeploy, fits, { wish, wait });
    refuseConflict(service, observed);
    return [...removals, ...steps, ...(match ? planExisting(planning, service, match, { wait, gone }) : [])];
  }
  if (!stays) {
    refuseConflict(service, observed);
    return [
      ...removals,
      {
        kind: 'create',
        service: service.name,
        name: service.containerName,
        because: 'there is no container for it',
      },
      { kind: 'start', service: service.name, because: 'it was just made' },
      ...wait,
    ];
  }
  return [...removals, ...planExisting(planning, service, stays, { wait, gone })];
}

function planExisting(
  planning: Planning,
  service: ServiceDefinition,
  match: Match,
  { wait, gone }: { readonly wait: readonly StartStep[]; readonly gone: ReadonlySet<string> },
): StartStep[] {
  const { definition, observed, wish } = planning;
  const { container, matchedBy } = match;
  if (matchedBy !== 'labels') {
    if (!wish.adopt && !isStray(match, definedData(definition, service))) throw foreign(service, match);
    refuseConflict(service, observed);
    return [
      {
        kind: 'adopt',
        service: service.name,
        id: container.id,
        name: container.name,
        aside: `${service.containerName}.before-aixcl-${container.id.slice(0, 12)}`,
        because: `${container.name} was started by hand; its volumes are kept, and so is the container, stopped and set aside`,
      },
      { kind: 'start', service: service.name, because: 'it was just made' },
      ...wait,
    ];
  }

  const isRenamed =
    container.name !== service.containerName &&
    !observed.containers.some(({ id, name }) => name === service.containerName && !gone.has(id));
  const steps: StartStep[] = isRenamed
    ? [
        {
          kind: 'rename',
          service: service.name,
          id: container.id,
          from: container.name,
          to: service.containerName,
          because: 'an interrupted recreate left it under another name',
        },
      ]
    : [];
  const name = isRenamed ? service.containerName : container.name;

  const drift = driftOf(definition, observed, service, match) ?? lostNetwork(planning, service, match);
  if (drift) {
    // Found out now: once the old container is gone, a taken name or port leaves the service without one.
    refuseConflict(service, observed);
    return [...steps, ...planReplacement(service, { ...container, name }, drift, { wish, wait })];
  }
  // An engine renames nothing that it is about to restart: that is stopped first.
  if (container.state !== 'running' && (container.state !== 'restarting' || steps.length > 0)) {
    refuseConflict(service, observed);
    return [
      ...steps,
      { kind: 'start', service: service.name, id: container.id, because: `it is ${container.state}` },
      ...wait,
    ];
  }
  const settled =
    (container.health === 'healthy' || container.health === 'none') && container.state === 'running';
  const keep: StartStep = {
    kind: 'keep',
    service: service.name,
    id: container.id,
    name,
    because: 'it runs as defined',
  };
  return [...steps, keep, ...(settled && !wish.unready.has(service.name) ? [] : wait)];
}

/** Steps whose `id` is that of the container which serves afterwards. */
const serving: ReadonlySet<string> = new Set<StartStep['kind']>(['keep', 'start', 'finish-replace']);

/** A container that shares another's network names it by id, and so needs a new one whenever that other has. */
function lostNetwork(
  { observed, before }: Planning,
  service: ServiceDefinition,
  { container }: Match,
): string | undefined {
  const shared = sharedService(service);
  if (!shared) return undefined;
  const steps = before.filter((step) => 'service' in step && step.service === shared);
  const renewed = steps.some(({ kind }) => ['create', 'replace', 'adopt'].includes(kind));
  const [stays] = steps.flatMap((step) => (serving.has(step.kind) && 'id' in step ? (step.id ?? []) : []));
  const owner = stays ?? observed.services.get(shared)?.matches[0]?.container.id;
  return renewed || container.networkMode !== `container:${owner}`
    ? `${shared}, whose network it shares, has a new container`
    : undefined;
}

/** Compose's `depends_on: {X: {restart: true}}`: a kept dependent restarts when what it depends on was replaced. */
function planRestarts(services: readonly ServiceDefinition[], parts: readonly StartStep[][]): StartStep[] {
  const replaced = new Set(
    parts
      .flat()
      .flatMap((step) =>
        step.kind === 'replace' || step.kind === 'finish-replace' || step.kind === 'remove-replaced'
          ? step.service
          : [],
      ),
  );
  return parts.flat().flatMap((step): StartStep[] => {
    if (step.kind !== 'keep') return [];
    const dependsOn = services.find(({ name }) => name === step.service)?.dependsOn ?? new Map();
    const cause = [...dependsOn].find(([name, { restart }]) => restart && replaced.has(name));
    return cause
      ? [
          {
            kind: 'restart',
            service: step.service,
            id: step.id,
            after: cause[0],
            because: `${cause[0]} is replaced`,
          },
        ]
      : [];
  });
}

function refuseConflict(service: ServiceDefinition, observed: Observed): void {
  const conflict = portConflict(service, observed);
  if (conflict) throw conflict;
  const holder = observed.containers.find(({ name }) => name === service.containerName);
  const own = observed.services
    .get(service.name)
    ?.matches.some(({ container }) => container.id === holder?.id);
  if (holder && !own) {
    throw new AixclError(
      'refused',
      `a container of another project is called ${holder.name} (${holder.image}, ${holder.status})`,
      {
        hint: `docker rename ${holder.name} ${holder.name}-other`,
      },
    );
  }
}

function foreign(service: ServiceDefinition, { container }: Match): AixclError {
  return new AixclError(
    'refused',
    `the container ${container.name} (${container.image}, ${container.status}) was not made by aixcl, and ${service.name} needs its name`,
    {
      hint: `Take it over, its volumes kept: aixcl stack start --adopt. Or keep it as it is: docker rename ${container.name} ${service.containerName}-mine`,
    },
  );
}
