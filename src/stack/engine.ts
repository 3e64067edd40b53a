import type { Readable } from 'node:stream';
import type {
  BuildDefinition,
  MountDefinition,
  NetworkAttachment,
  NetworkDefinition,
  RestartPolicy,
  ServiceDefinition,
  VolumeDefinition,
} from './definition/types.ts';
import type { DisposableVolume, SavedVolume } from './volumes/removable-volume.ts';

/**
 * The port to a Docker engine. Nothing of dockerode or of the API's JSON passes through it. Methods that look something up
 * answer `undefined` for "no such thing"; the others throw `AixclError`: `notFound`, `engineUnreachable`, or `unexpected` with the
 * engine's own words.
 */
export interface Engine {
  /** Address that it was reached at, as `DOCKER_HOST` spells it. */
  readonly address: string;
  info(): Promise<EngineInfo>;
  /** Throws `engineUnreachable` unless it takes a new connection. One that is being stopped goes on answering on those that it has. */
  assertThere(): Promise<void>;

  /** Containers that carry every one of these labels; all of them without `labels`. Stopped ones too. */
  listContainers(labels?: Readonly<Record<string, string>>): Promise<ContainerSummary[]>;
  inspectContainer(id: string): Promise<ContainerDetail | undefined>;
  createContainer(name: string, spec: ContainerSpec): Promise<string>;
  /** Afterwards it runs, whether it was stopped, paused or running. Throws `StuckContainer` for one that never will again. */
  startContainer(id: string): Promise<void>;
  /** `timeout` in seconds before SIGKILL; absent: the container's own. */
  stopContainer(id: string, timeout?: number): Promise<void>;
  restartContainer(id: string, timeout?: number): Promise<void>;
  renameContainer(id: string, name: string): Promise<void>;
  /** Removes a stopped container; never its anonymous volumes, never by force. */
  removeContainer(id: string): Promise<void>;
  setRestartPolicy(id: string, policy: RestartPolicy): Promise<void>;
  /** Runs `argv` inside a running container; output is stdout and stderr together, cut at `limit` bytes (64 KiB). */
  exec(
    id: string,
    argv: readonly string[],
    options?: { user?: string; signal?: AbortSignal; limit?: number },
  ): Promise<ExecResult>;
  logs(id: string, options: LogOptions): AsyncIterable<LogLine>;

  /** What lies at `path` in a container, also one that never ran. A link at the end of the path is not followed. */
  statPath(id: string, path: string): Promise<PathState | undefined>;
  /** A tar stream of it. Who does not read to the end destroys the stream: until then the engine holds the container's lock. */
  readArchive(id: string, path: string, options?: { signal?: AbortSignal }): Promise<Readable | undefined>;
  /** Unpacks a tar stream into the folder `path`; nothing of it is synced. Throws what `tar` throws. */
  writeArchive(id: string, path: string, tar: Readable, options?: { signal?: AbortSignal }): Promise<void>;
  /** Takes a helper container of `home` away, also while it runs. Any other container: `refused`. One that is gone already is no error. */
  removeHelper(id: string, home: string): Promise<void>;
  /** Takes a guard of `home` away, also while it runs. Any other container: `refused`. One that is gone already is no error. */
  removeGuard(id: string, home: string): Promise<void>;

  inspectImage(reference: string): Promise<ImageDetail | undefined>;
  pullImage(reference: string, options: PullOptions): AsyncIterable<PullProgress>;
  buildImage(tag: string, build: BuildDefinition, options: { signal?: AbortSignal }): AsyncIterable<string>;
  /** Makes an image of one layer out of a tar stream of a root file system. Answers its id. */
  importImage(tag: string, tar: NodeJS.ReadableStream, changes: readonly string[]): Promise<string>;
  /** Images without a name. */
  listDanglingImages(): Promise<ImageDetail[]>;
  /** Removes an image without a name; never by force. */
  removeDanglingImage(id: string): Promise<void>;

  listNetworks(labels?: Readonly<Record<string, string>>): Promise<NetworkSummary[]>;
  inspectNetwork(name: string): Promise<NetworkSummary | undefined>;
  createNetwork(network: NetworkDefinition, labels: Readonly<Record<string, string>>): Promise<string>;
  connectNetwork(network: string, container: string, aliases: readonly string[]): Promise<void>;
  /** Refused by the engine while a container is in it. */
  removeNetwork(id: string): Promise<void>;

  listVolumes(labels?: Readonly<Record<string, string>>): Promise<VolumeSummary[]>;
  inspectVolume(name: string): Promise<VolumeSummary | undefined>;
  createVolume(volume: VolumeDefinition, labels: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Removes a volume that holds nothing which anybody would miss, or whose every file is proven to be saved: the proof is asserted right
   * before. Never by force. One that is gone already is no error.
   */
  removeVolume(volume: DisposableVolume | SavedVolume): Promise<void>;

  /** What containers and volumes take on the engine's disk. The engine walks them: it may take seconds. */
  usage(): Promise<EngineUsage>;
}

export interface EngineUsage {
  /** Bytes of each volume by name; of one that is a name for a folder, what the engine says of that, or nothing. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Bytes that each container wrote into its own layer, by id. */
  readonly containers: ReadonlyMap<string, number>;
}

export interface EngineInfo {
  readonly version: string;
  readonly apiVersion: string;
  readonly operatingSystem: string;
  readonly runtimes: readonly string[];
  /** CDI device kinds the engine can hand out (`nvidia.com/gpu`), where it says so. */
  readonly cdiDevices: readonly string[];
  readonly dataRoot: string;
  readonly rootless: boolean;
}

export interface ContainerSummary {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly state: ContainerState;
  /** The engine's own words, `Up 3 minutes (healthy)`. */
  readonly status: string;
  readonly health: Health;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly mounts: readonly MountSummary[];
  /** `container:ID`, the name of a network, `host`, `none`. */
  readonly networkMode?: string;
  /** Names of the networks that it is in, or will be in when it runs. */
  readonly networks?: readonly string[];
  /** Seconds since 1970. */
  readonly created: number;
}

export interface MountSummary {
  readonly kind: string;
  readonly name?: string;
  readonly source?: string;
  readonly target: string;
  /** Absent: writable. */
  readonly readOnly?: boolean;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
/** `none`: the container has no health check. */
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface ContainerDetail extends ContainerSummary {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: string;
  readonly restartCount: number;
  readonly restart: RestartPolicy;
  readonly healthcheckTest: readonly string[];
  /** Last output of the health check, oldest first. */
  readonly healthLog: readonly { readonly exitCode: number; readonly output: string }[];
  readonly hasTty: boolean;
  /** As the image and whoever made it set it. */
  readonly environment: ReadonlyMap<string, string>;
}

export interface PathState {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Bytes. */
  readonly size: number;
  /** ISO 8601, as fine as the engine tells it. */
  readonly modified: string;
}

export interface PublishedPort {
  readonly hostIp: string;
  readonly published: number;
  readonly target: number;
  readonly protocol: string;
}

/** What a container is made from: a service's definition with every name resolved to what lies on this engine. */
export interface ContainerSpec
  extends Omit<
    ServiceDefinition,
    | 'name'
    | 'build'
    | 'pullPolicy'
    | 'containerName'
    | 'profiles'
    | 'dependsOn'
    | 'labels'
    | 'mounts'
    | 'networks'
  > {
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly MountSpec[];
  /** The first is joined at creation, the others right after it. */
  readonly networks: readonly ({ readonly name: string } & NetworkAttachment)[];
}

export type MountSpec =
  | Exclude<MountDefinition, { kind: 'volume' }>
  /** `name` on the engine; absent: an anonymous volume. */
  | (Omit<Extract<MountDefinition, { kind: 'volume' }>, 'source'> & { readonly name?: string });

export interface ExecResult {
  /** -1: it ended with its container. */
  readonly exitCode: number;
  readonly output: string;
}

export interface LogOptions {
  readonly follow?: boolean;
  /** Lines from the end; absent: all. */
  readonly tail?: number | undefined;
  /** RFC 3339 time, Unix seconds, or a duration back from now (`10m`). */
  readonly since?: string | undefined;
  readonly timestamps?: boolean;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface ImageDetail {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly size: number;
}

export interface PullOptions {
  readonly platform?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface PullProgress {
  /** Layer id; absent for lines about the whole image. */
  readonly layer?: string | undefined;
  readonly text: string;
  /** Bytes. */
  readonly done?: number | undefined;
  readonly total?: number | undefined;
}

export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VolumeSummary {
  readonly name: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mountpoint: string;
}
