import { AixclError, reasonOf } from '../errors.ts';
import type { StartHands } from './apply-start.ts';
import { containerSpec } from './container-spec.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { sharedService } from './dependency-order.ts';
import type { ContainerSpec } from './engine.ts';
import type { Observed } from './observe.ts';
import { awaitReady } from './readiness.ts';
import { hasHashPrefix } from './recreate/container-ref.ts';
import {
  goBack,
  removeReplaced,
  replacing,
  setAside,
  taking,
  type WayBack,
  within,
} from './recreate/redeploy.ts';
import { besideName } from './recreate/set-aside.ts';
import type { ServiceStep } from './start-step.ts';
import { StuckContainer } from './stuck-container.ts';

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
  /** Set while the service's new container is not yet known to be healthy. */
  wayBack?: WayBack | undefined;
}

/** How long a new container without a health check has to run before the one that it replaces goes. */
const provenMs = 2000;

export async function applyServiceStep(step: ServiceStep, making: Making): Promise<void> {
  const { service, ids, hands } = making;
  const { engine, signal, waitTimeoutMs: timeoutMs, report } = hands;
  switch (step.kind) {
    case 'keep':
    case 'keep-aside':
      return;
    case 'remove-leftover':
      return engine.removeContainer(step.id);
    case 'rename':
      if (isRestarting(making, step.id)) await engine.stopContainer(step.id);
      return engine.renameContainer(step.id, step.to);
    case 'create':
      ids.set(service.name, await engine.createContainer(step.name, specFor(making)));
      return;
    case 'replace':
    case 'adopt':
      return replace(step, making);
    case 'finish-replace':
      return finishReplace(step, making);
    case 'go-back':
      return goBackTo(step, making);
    case 'remove-replaced':
      return removeReplaced(engine, step.id);
    case 'start':
      // Whatever keeps the engine busy with a new container must not keep the old one from coming back.
      return making.wayBack
        ? within(timeoutMs, engine.startContainer(idOf(making)), signal)
        : startOrMakeAnew(making);
    case 'restart':
      return engine.restartContainer(step.id);
    case 'wait': {
      const onDetail = (text: string) => report.detail(step, text);
      const stableMs = making.wayBack ? provenMs : undefined;
      const { state } = await awaitReady(engine, idOf(making), { timeoutMs, signal, onDetail, stableMs });
      if (state === 'loading') making.loading.push(service.name);
    }
  }
}

async function startOrMakeAnew(making: Making): Promise<void> {
  const { engine, note } = making.hands;
  const { containerName, name } = making.service;
  const id = idOf(making);
  try {
    return await engine.startContainer(id);
  } catch (error) {
    const stuck = error instanceof StuckContainer ? await engine.inspectContainer(id) : undefined;
    if (!stuck) throw error;
    await note('replace', stuck.name, reasonOf(error));
    const made = await engine.createContainer(
      besideName(containerName, id),
      replacing(specFor(making), stuck),
    );
    await engine.removeContainer(id);
    await engine.renameContainer(made, containerName);
    making.ids.set(name, made);
    await engine.startContainer(made);
  }
}

/** The new container is made beside the old one, and takes its place; it does not run yet. */
async function replace(
  step: Extract<ServiceStep, { kind: 'replace' | 'adopt' }>,
  making: Making,
): Promise<void> {
  const { engine } = making.hands;
  const { containerName, name } = making.service;
  const old = await engine.inspectContainer(step.id);
  if (!old) {
    throw new AixclError('notFound', `the container ${step.name} is gone`, { hint: 'aixcl stack start' });
  }
  const takenOver = step.kind === 'adopt';
  const before = !takenOver && hasHashPrefix(old.name, containerName) ? containerName : old.name;
  const wayBack = (replacement?: string): WayBack => ({
    old: { id: old.id, name: before, restart: old.restart },
    // For a redeploy a start was asked for; one that is taken over is left as it was found.
    starts: !takenOver || old.state === 'running',
    replacement,
  });
  making.wayBack = wayBack();
  const spec = specFor(making);
  const id = await engine.createContainer(
    besideName(containerName, old.id),
    takenOver ? taking(spec, old) : replacing(spec, old),
  );
  making.wayBack = wayBack(id);
  await setAside(engine, old, step.aside);
  await engine.renameContainer(id, containerName);
  making.ids.set(name, id);
}

async function finishReplace(
  { id, name, old }: Extract<ServiceStep, { kind: 'finish-replace' }>,
  making: Making,
): Promise<void> {
  const { engine } = making.hands;
  const { containerName } = making.service;
  const was = { id: old.id, name: containerName, restart: old.restart };
  making.wayBack = { old: was, starts: true, replacement: id };
  await setAside(engine, old, old.name);
  if (name !== containerName) await engine.renameContainer(id, containerName);
}

async function goBackTo(
  { id, to, restart, replacement }: Extract<ServiceStep, { kind: 'go-back' }>,
  making: Making,
): Promise<void> {
  const way = { old: { id, name: to, restart }, starts: false, replacement };
  const [problem] = await goBack(making.hands.engine, way, making.service.containerName);
  if (problem !== undefined) throw problem;
}

function specFor({ definition, service, ids, observed, imageId, hands }: Making): ContainerSpec {
  const spec = containerSpec(definition, service, { home: hands.home, imageId, scripts: observed.scripts });
  const shared = sharedService(service);
  return shared ? { ...spec, networkMode: `container:${ids.get(shared)}` } : spec;
}

function isRestarting({ observed }: Making, id: string): boolean {
  return observed.containers.some((container) => container.id === id && container.state === 'restarting');
}

function idOf({ service, ids }: Making): string {
  const id = ids.get(service.name);
  if (!id) throw new AixclError('unexpected', `${service.name} has no container to start`);
  return id;
}
