import { AixclError } from '../errors.ts';
import { labels } from '../labels.ts';
import type { StartHands } from './apply-start.ts';
import { containerSpec } from './container-spec.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { sharedService } from './dependency-order.ts';
import type { ContainerSpec, ContainerSummary, MountSpec } from './engine.ts';
import type { Observed } from './observe.ts';
import { awaitReady } from './readiness.ts';
import type { ServiceStep } from './start-step.ts';

/** One service in the making. */
export interface Making {
  readonly definition: StackDefinition;
  readonly service: ServiceDefinition;
  /** Container ids by service; changed as containers are made. */
  readonly ids: Map<string, string>;
  readonly observed: Observed;
  readonly imageId: string | undefined;
  readonly hands: StartHands;
  /** Gets the services whose process is up and still loads. */
  readonly loading: string[];
}

export async function applyServiceStep(step: ServiceStep, making: Making): Promise<void> {
  const { service, ids, hands } = making;
  const { engine, signal, waitTimeoutMs: timeoutMs, report } = hands;
  switch (step.kind) {
    case 'keep':
      return;
    case 'remove-leftover':
      return engine.removeContainer(step.id);
    case 'rename':
      return engine.renameContainer(step.id, step.to);
    case 'create':
      ids.set(service.name, await engine.createContainer(step.name, specFor(making)));
      return;
    case 'replace':
      return replace(step.id, making);
    case 'adopt':
      return adopt(step, making);
    case 'start':
      return engine.startContainer(idOf(making));
    case 'restart':
      return engine.restartContainer(step.id);
    case 'wait': {
      const onDetail = (text: string) => report.detail(step, text);
      const { state } = await awaitReady(engine, idOf(making), { timeoutMs, signal, onDetail });
      if (state === 'loading') making.loading.push(service.name);
    }
  }
}

/**
 * Makes the new container beside the old one, under a name of Compose's form, and only then takes the old one away. Killed in between,
 * the new one stands there unstarted with the label `io.aixcl.replaces`, and the next start begins again.
 */
async function replace(oldId: string, making: Making): Promise<void> {
  const { engine } = making.hands;
  const { containerName, name } = making.service;
  const old = making.observed.containers.find(({ id }) => id === oldId);
  const spec = specFor(making);
  const id = await engine.createContainer(`${oldId.slice(0, 12)}_${containerName}`, {
    ...spec,
    labels: { ...spec.labels, [labels.replaces]: oldId },
    mounts: old ? withInheritedVolumes(spec.mounts, old) : spec.mounts,
  });
  await engine.stopContainer(oldId);
  await engine.removeContainer(oldId);
  await engine.renameContainer(id, containerName);
  making.ids.set(name, id);
}

/** How an engine names a volume that nobody named. */
const anonymousName = /^[0-9a-f]{64}$/;

/** The mounts, with the anonymous volumes of the old container in place of new, empty ones: taken along, as Compose does. */
function withInheritedVolumes(mounts: readonly MountSpec[], old: ContainerSummary): MountSpec[] {
  const isAnonymous = (mount: MountSpec) => mount.kind === 'volume' && mount.name === undefined;
  const named = mounts.filter((mount) => !isAnonymous(mount));
  const taken = new Set(named.map(({ target }) => target));
  const inherited = old.mounts.flatMap((mount): MountSpec[] =>
    mount.kind === 'volume' && anonymousName.test(mount.name ?? '') && !taken.has(mount.target)
      ? [{ kind: 'volume', name: mount.name ?? '', target: mount.target, readOnly: false, noCopy: false }]
      : [],
  );
  const held = new Set(inherited.map(({ target }) => target));
  return [...named, ...inherited, ...mounts.filter((mount) => isAnonymous(mount) && !held.has(mount.target))];
}

/**
 * Puts a new container in the place of one that someone started by hand. That one is kept, stopped and set aside: data may lie in its own
 * layer. Where the new one can't be made or does not start, everything is as it was.
 */
async function adopt(
  { id: oldId, name, aside }: Extract<ServiceStep, { kind: 'adopt' }>,
  making: Making,
): Promise<void> {
  const { engine } = making.hands;
  const { containerName } = making.service;
  const old = await engine.inspectContainer(oldId);
  if (!old) throw new AixclError('notFound', `the container ${name} is gone`, { hint: 'aixcl stack start' });
  const id = await engine.createContainer(`${oldId.slice(0, 12)}_${containerName}`, specFor(making));
  try {
    await engine.setRestartPolicy(oldId, { name: 'no' });
    await engine.stopContainer(oldId);
    await engine.renameContainer(oldId, aside);
    await engine.renameContainer(id, containerName);
    await engine.startContainer(id);
  } catch (error) {
    await engine.removeContainer(id);
    if ((await engine.inspectContainer(oldId))?.name !== name) await engine.renameContainer(oldId, name);
    await engine.setRestartPolicy(oldId, old.restart);
    if (old.state === 'running') await engine.startContainer(oldId);
    throw error;
  }
  making.ids.set(making.service.name, id);
}

function specFor({ definition, service, ids, observed, imageId, hands }: Making): ContainerSpec {
  const spec = containerSpec(definition, service, { home: hands.home, imageId, scripts: observed.scripts });
  const shared = sharedService(service);
  return shared ? { ...spec, networkMode: `container:${ids.get(shared)}` } : spec;
}

function idOf({ service, ids }: Making): string {
  const id = ids.get(service.name);
  if (!id) throw new AixclError('unexpected', `${service.name} has no container to start`);
  return id;
}
