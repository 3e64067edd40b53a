import type { Step } from '../plan/step.ts';
import type {
  BuildDefinition,
  NetworkDefinition,
  RestartPolicy,
  VolumeDefinition,
} from './definition/types.ts';
import type { SeenVolumes } from './volumes/volume-contents.ts';

/** What `start` can do. Steps with a `service` run side by side, each service behind those it depends on; the others run first. */
export type StartStep = Step<{
  'make-directory': { readonly path: string };
  'pull-image': { readonly reference: string; readonly platform?: string | undefined };
  'build-image': { readonly reference: string; readonly build: BuildDefinition };
  /** Made on this machine from Debian's packages. */
  'build-local-image': { readonly reference: string };
  'create-network': { readonly network: NetworkDefinition };
  'create-volume': { readonly volume: VolumeDefinition };
  /** By the guard. `services`: those that use one of them, and must not run before. `images`: for the guard, the likeliest first. */
  'hold-volumes': {
    readonly volumes: readonly string[];
    readonly services: readonly string[];
    readonly images: readonly string[];
    /** As `GuardWish` has it. */
    readonly onlyOn?: readonly string[] | undefined;
  };
  /** A replacement that was made and never started, left by a killed command. */
  'remove-leftover': { readonly service: string; readonly id: string; readonly name: string };
  rename: { readonly service: string; readonly id: string; readonly from: string; readonly to: string };
  keep: { readonly service: string; readonly id: string; readonly name: string };
  create: { readonly service: string; readonly name: string };
  /** Makes the new one beside the one of this id, sets that aside under the name `aside`, and puts the new one in its place. */
  replace: { readonly service: string; readonly id: string; readonly name: string; readonly aside: string };
  /** As `replace`, of a container that someone started by hand; it is kept. */
  adopt: { readonly service: string; readonly id: string; readonly name: string; readonly aside: string };
  /** Goes on with a replacement that was interrupted. `id`, `name`: of the new one; `old`: what it goes back to. */
  'finish-replace': {
    readonly service: string;
    readonly id: string;
    readonly name: string;
    readonly old: SetAside;
  };
  /** Gives the one that was set aside its place again, and takes the one of the id `replacement` away. Does not start it. */
  'go-back': {
    readonly service: string;
    readonly id: string;
    readonly name: string;
    readonly to: string;
    readonly restart: RestartPolicy;
    readonly replacement?: string;
  };
  /** Removes the one that was set aside, once the one in its place is healthy. */
  'remove-replaced': { readonly service: string; readonly id: string; readonly name: string };
  /** It stays set aside: what it would go for was not waited for. */
  'keep-aside': { readonly service: string; readonly id: string; readonly name: string };
  /** `id`: of a container that was there before; absent for one that an earlier step makes. */
  start: { readonly service: string; readonly id?: string };
  /** `after`: name of the service that was replaced. */
  restart: { readonly service: string; readonly id: string; readonly after: string };
  /** `byHealth`: it has a health check; otherwise it only has to stay up. */
  wait: { readonly service: string; readonly byHealth: boolean };
}>;

/** A container that was set aside, and the restart policy that it had. */
export interface SetAside {
  readonly id: string;
  readonly name: string;
  readonly restart: RestartPolicy;
}

export interface StartWish {
  readonly pull: 'always' | 'missing' | 'never';
  readonly build: boolean;
  readonly adopt: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  /** Services whose process is up but not ready yet (a model that is loading), whatever the engine thinks of their health. */
  readonly unready: ReadonlySet<string>;
  /** AIXCL_HOME. */
  readonly home: string;
  readonly seen: SeenVolumes;
  /** Whether a folder is one of the home's own, which are made where they are missing. */
  readonly isHomeFolder: (path: string) => boolean;
  readonly isLocallyBuilt: (reference: string) => boolean;
}

export type ServiceStep = Extract<StartStep, { service: string }>;
export type SharedStep = Exclude<StartStep, { service: string }>;
