import { setTimeout as delay } from 'node:timers/promises';
import { AixclError, reasonOf } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { RestartPolicy } from '../definition/types.ts';
import type { ContainerDetail, ContainerSpec, Engine } from '../engine.ts';
import { LostPort } from '../lost-port.ts';
import { spellRestartPolicy } from '../restart-policy.ts';
import { withInheritedVolumes } from './inherited-volumes.ts';
import { failedName, isAside } from './set-aside.ts';

/** What a service goes back to when its new container does not become healthy. */
export interface WayBack {
  /** Name and restart policy as it gets them again. */
  readonly old: { readonly id: string; readonly name: string; readonly restart: RestartPolicy };
  /** Whether it is started again. */
  readonly starts: boolean;
  /** Id of the new one, once that is made. */
  readonly replacement: string | undefined;
}

/** What the new container of a redeploy is made of: its definition, marks, and the anonymous volumes of the old one. */
export function replacing(spec: ContainerSpec, old: ContainerDetail): ContainerSpec {
  const marked = taking(spec, old);
  return {
    ...marked,
    labels: { ...marked.labels, [labels.replacedRestart]: spellRestartPolicy(old.restart) },
    mounts: withInheritedVolumes(spec.mounts, old),
  };
}

/** What takes the place of a container that someone started by hand. */
export function taking(spec: ContainerSpec, old: ContainerDetail): ContainerSpec {
  return { ...spec, labels: { ...spec.labels, [labels.replaces]: old.id } };
}

/** Takes the old one out of service. It is stopped first: an engine renames nothing that it is about to restart. */
export async function setAside(engine: Engine, old: Named, aside: string): Promise<void> {
  await engine.stopContainer(old.id);
  await takeAway(engine, old, aside);
}

type Named = { readonly id: string; readonly name: string };

/**
 * Gives a stopped container the name that marks it, and then takes its restart policy away: else the daemon's restart might bring it up.
 * In this order, so that whoever finds a container without its policy finds the mark too.
 */
async function takeAway(engine: Engine, { id, name }: Named, marked: string): Promise<void> {
  if (name !== marked) await engine.renameContainer(id, marked);
  await engine.setRestartPolicy(id, { name: 'no' });
}

/** Seconds that a container which did not become healthy gets to end. */
const graceOfFailed = 3;
/** How long the old one waits for the new one to be out of its way. */
const outOfTheWayMs = 8000;

/**
 * Takes the new one out of service, and puts the old one in its place again. Nothing that is wrong with the new one keeps the old one
 * from being started. Answers what did not go as it should and still has to be mended; throws where the old one does not start.
 */
export async function goBack(
  engine: Engine,
  { old, starts, replacement }: WayBack,
  containerName: string,
): Promise<unknown[]> {
  const problems: unknown[] = [];
  const attempt = async (work: Promise<void>) => {
    try {
      await work;
      return true;
    } catch (error) {
      if (isCode(error, 'engineUnreachable')) throw error;
      problems.push(error);
      return false;
    }
  };
  const before = await engine.inspectContainer(old.id);
  if (!before) throw new AixclError('notFound', 'it is gone');
  if (replacement) await attempt(within(outOfTheWayMs, giveUp(engine, replacement, containerName)));
  const itself = await attempt(engine.setRestartPolicy(old.id, old.restart));
  if (itself && before.name !== old.name) await attempt(engine.renameContainer(old.id, old.name));
  if (starts) await engine.startContainer(old.id);
  if (replacement) await attempt(removeIfThere(engine, replacement));
  return problems;
}

async function giveUp(engine: Engine, id: string, containerName: string): Promise<void> {
  const found = await engine.inspectContainer(id);
  if (!found) return;
  await engine.stopContainer(id, graceOfFailed);
  await takeAway(engine, found, failedName(containerName, id));
}

async function removeIfThere(engine: Engine, id: string): Promise<void> {
  if (await engine.inspectContainer(id)) await engine.removeContainer(id);
}

/** Removes the one that was set aside. */
export async function removeReplaced(engine: Engine, id: string): Promise<void> {
  const old = await engine.inspectContainer(id);
  if (!old) return;
  if (!isAside(old)) {
    throw new AixclError(
      'refused',
      `${old.name} is not set aside any more; another command went back to it`,
      {
        hint: 'aixcl stack status',
      },
    );
  }
  await engine.removeContainer(id);
}

/**
 * Whether someone stopped it, rather than that it ended: an engine starts one that ended anew under these policies, or says why it could
 * not.
 */
export async function wasStopped(engine: Engine, id: string): Promise<boolean> {
  const found = await engine.inspectContainer(id);
  if (found?.state !== 'exited' || found.error !== '') return false;
  return found.restart.name === 'always' || found.restart.name === 'unless-stopped';
}

/** Rejects when `work` takes longer; what it does to the engine goes on. */
export async function within(milliseconds: number, work: Promise<void>, signal?: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const signals = signal ? [signal, ended.signal] : [ended.signal];
  const patience = delay(milliseconds, undefined, { signal: AbortSignal.any(signals) }).then(() => {
    throw new AixclError(
      'unexpected',
      `the engine did not do it within ${Math.round(milliseconds / 1000)} s`,
    );
  });
  try {
    await Promise.race([work, patience]);
  } finally {
    ended.abort();
  }
}

/** The failure of a new container, and that the one before serves again. */
export function wentBack(cause: unknown, service: string, problems: readonly unknown[]): AixclError {
  const [problem] = problems;
  const but = problem === undefined ? '' : `, but not all is as before: ${reasonOf(problem)}`;
  const mended = `Mend its definition or image, then: aixcl service start ${service}`;
  return failure(cause, `the container before it serves again${but}`, {
    hint: lostPortHint(cause) ?? (problem === undefined ? mended : `aixcl service start ${service}`),
  });
}

/** The failure of a new container, and why the one before does not serve. */
export function notBack(cause: unknown, why: unknown, { old }: WayBack): AixclError {
  return failure(cause, `and the container before it does not serve again: ${reasonOf(why)}`, {
    hint: lostPortHint(why) ?? `docker start ${old.name} && docker logs ${old.name}`,
  });
}

/** What helps where no container can have the port, be it an old one or a new one. */
function lostPortHint(error: unknown): string | undefined {
  if (error instanceof LostPort) return error.hint;
  return error instanceof Error ? lostPortHint(error.cause) : undefined;
}

function failure(cause: unknown, fate: string, { hint }: { readonly hint: string }): AixclError {
  return new AixclError('unhealthy', `${reasonOf(cause)}; ${fate}`, {
    hint,
    cause,
    evidence: cause instanceof AixclError ? cause.evidence : [],
  });
}

function isCode(error: unknown, code: AixclError['code']): boolean {
  return error instanceof AixclError && error.code === code;
}
