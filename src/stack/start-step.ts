import type { Step } from '../plan/step.ts';
import type { BuildDefinition, NetworkDefinition, VolumeDefinition } from './definition/types.ts';

/** What `start` can do. Steps with a `service` run side by side, each service behind those it depends on; the others run first. */
export type StartStep = Step<{
  'make-directory': { readonly path: string };
  'pull-image': { readonly reference: string; readonly platform?: string | undefined };
  'build-image': { readonly reference: string; readonly build: BuildDefinition };
  /** Made on this machine from Debian's packages. */
  'build-local-image': { readonly reference: string };
  'create-network': { readonly network: NetworkDefinition };
  'create-volume': { readonly volume: VolumeDefinition };
  /** A replacement that was made and never started, left by a killed command. */
  'remove-leftover': { readonly service: string; readonly id: string; readonly name: string };
  rename: { readonly service: string; readonly id: string; readonly from: string; readonly to: string };
  keep: { readonly service: string; readonly id: string; readonly name: string };
  create: { readonly service: string; readonly name: string };
  replace: { readonly service: string; readonly id: string; readonly name: string };
  adopt: { readonly service: string; readonly id: string; readonly name: string; readonly aside: string };
  /** `id`: of a container that was there before; absent for one that an earlier step makes. */
  start: { readonly service: string; readonly id?: string };
  restart: { readonly service: string; readonly id: string };
  /** `byHealth`: it has a health check; otherwise it only has to stay up. */
  wait: { readonly service: string; readonly byHealth: boolean };
}>;

export interface StartWish {
  readonly pull: 'always' | 'missing' | 'never';
  readonly build: boolean;
  readonly adopt: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  /** Services whose process is up but not ready yet (a model that is loading), whatever the engine thinks of their health. */
  readonly unready: ReadonlySet<string>;
  /** Whether a folder is one of the home's own, which are made where they are missing. */
  readonly isHomeFolder: (path: string) => boolean;
  readonly isLocallyBuilt: (reference: string) => boolean;
}

export type ServiceStep = Extract<StartStep, { service: string }>;
export type SharedStep = Exclude<StartStep, { service: string }>;
