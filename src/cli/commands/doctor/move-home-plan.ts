import { AixclError } from '../../../errors.ts';
import type { Step } from '../../../plan/step.ts';
import type { ContainerSummary } from '../../../stack/engine.ts';
import type { FolderVolume } from '../../../stack/home-overlay.ts';
import { isGuard } from '../../../stack/volumes/guard.ts';

/** Ollama's volume inside the engine, and the folder of the home that is to take its place. */
export interface ObservedMove {
  /** Name of the volume that was there before. */
  readonly volume: string;
  /** What the definition is to name in its place. */
  readonly folder: FolderVolume;
  /** Where that is on this machine. */
  readonly path: string;
  /** True where the definition names the folder already: an earlier run got so far. */
  readonly switched: boolean;
  /** The service's container. */
  readonly container: { readonly summary: ContainerSummary; readonly isOurs: boolean } | undefined;
  /** Every container on the engine. */
  readonly containers: readonly ContainerSummary[];
}

export type MoveStep = Step<{
  /** Held by the guard from now on, as no service does so any longer. */
  hold: { readonly volume: string };
  /** So that nothing is written into it while what is left is copied. */
  stop: { readonly container: ContainerSummary };
  'copy-rest': { readonly volume: string };
  switch: { readonly folder: FolderVolume };
  /** The service, which ran before: its container is made anew. */
  start: { readonly container: ContainerSummary };
  /** A stopped container that mounts the old volume: the next start makes it anew. */
  'remove-container': { readonly container: ContainerSummary };
  'keep-volume': { readonly volume: string };
}>;

/** What is done around the copying, in this order. Throws `refused` where somebody else may write into the volume. */
export function planMoveHome(seen: ObservedMove): MoveStep[] {
  const { volume, folder, path, container } = seen;
  const mounting = container && mountsVolume(container.summary, volume) ? container : undefined;
  if (mounting && !mounting.isOurs) throw notOurs(mounting.summary);
  refuseOtherWriters(seen);
  const steps: MoveStep[] = [
    { kind: 'hold', volume, because: 'no clean-up is to take it when no service mounts it any more' },
  ];
  const old = mounting?.summary;
  const runs = old !== undefined && ['running', 'restarting', 'paused'].includes(old.state);
  if (runs) {
    steps.push({ kind: 'stop', container: old, because: 'nothing is to change in the volume then' });
  }
  steps.push({ kind: 'copy-rest', volume, because: 'it may have changed while it was copied' });
  if (!seen.switched) {
    steps.push({
      kind: 'switch',
      folder,
      because: `the volume ${folder.name} is a name for ${path}, and no clean-up takes that`,
    });
  }
  if (runs) steps.push({ kind: 'start', container: old, because: 'it ran before' });
  else if (old) {
    steps.push({
      kind: 'remove-container',
      container: old,
      because: `it mounts the volume ${volume}; the next start makes it anew`,
    });
  }
  steps.push({
    kind: 'keep-volume',
    volume,
    because: `all that is in it stays, Ollama's own key too, until you say: aixcl stack clean --volumes ${volume}`,
  });
  return steps;
}

function refuseOtherWriters({ containers, container, volume }: ObservedMove): void {
  const others = containers.filter(
    (one) =>
      one.id !== container?.summary.id &&
      one.state === 'running' &&
      !isGuard(one) &&
      mountsVolume(one, volume) &&
      one.mounts.some((mount) => mount.name === volume && !mount.readOnly),
  );
  if (others.length === 0) return;
  const names = others.map(({ name }) => name).join(' ');
  throw new AixclError('refused', `${names} may write into the volume ${volume} while it is copied`, {
    hint: `docker stop ${names}`,
  });
}

export function mountsVolume({ mounts }: ContainerSummary, volume: string): boolean {
  return mounts.some(({ kind, name }) => kind === 'volume' && name === volume);
}

function notOurs({ name }: ContainerSummary): AixclError {
  return new AixclError('refused', `the container ${name}, which mounts it, was not made by aixcl`, {
    hint: 'aixcl stack start ollama --adopt; then run it again',
  });
}

/** A step, for people. */
export function moveLine(step: MoveStep): string {
  switch (step.kind) {
    case 'hold':
      return `hold the volume ${step.volume}: ${step.because}`;
    case 'stop':
      return `stop ${step.container.name} for a moment: ${step.because}`;
    case 'copy-rest':
      return `copy what is new in the volume ${step.volume}: ${step.because}`;
    case 'switch':
      return `keep Ollama's models there from now on: ${step.because}`;
    case 'start':
      return `start ${step.container.name} again: ${step.because}`;
    case 'remove-container':
      return `remove the stopped container ${step.container.name}: ${step.because}`;
    case 'keep-volume':
      return `keep the volume ${step.volume}: ${step.because}`;
  }
}

/** What a step acts on, as a result names it. */
export function targetOf(step: MoveStep): string {
  if ('container' in step) return step.container.name;
  return 'folder' in step ? step.folder.name : step.volume;
}
