import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AixclError, reasonOf } from '../../errors.ts';
import { labels } from '../../labels.ts';
import { sinceSeconds } from '../../since.ts';
import type {
  BuildDefinition,
  NetworkDefinition,
  RestartPolicy,
  VolumeDefinition,
} from '../../stack/definition/types.ts';
import type {
  ContainerSpec,
  Engine,
  ExecResult,
  LogLine,
  LogOptions,
  PathState,
  PullOptions,
  PullProgress,
} from '../../stack/engine.ts';
import { allocatedPort, withLostPort } from '../../stack/lost-port.ts';
import { StuckContainer } from '../../stack/stuck-container.ts';
import type { DisposableVolume, SavedVolume } from '../../stack/volumes/removable-volume.ts';
import { Archives } from './archives.ts';
import { createOptions, endpointOf, restartPolicy } from './create-options.ts';
import { EngineReads } from './engine-reads.ts';
import { engineFailure, isStuck, pullFailure, statusOf } from './failures.ts';
import { frames, jsonLines, logLines } from './streams.ts';

const outputLimit = 64 * 1024;

/** The engine port. What is only read goes over plain requests (see `EngineReads`), all else over dockerode. */
export class DockerEngine extends EngineReads implements Engine {
  #library: Promise<Docker> | undefined;

  get #archives(): Archives {
    return new Archives(this.transport, this.apiVersion);
  }

  /** Loaded when something is changed or streamed: it takes as long as a read command may. */
  #docker(): Promise<Docker> {
    this.#library ??= import('dockerode').then(({ default: Dockerode }) => new Dockerode(this.#options()));
    return this.#library;
  }

  #options(): Docker.DockerOptions {
    const { address, secrets, agent } = this.transport;
    const where = address.socketPath
      ? { socketPath: address.socketPath }
      : {
          host: address.tcp?.host ?? '',
          port: address.tcp?.port ?? 0,
          protocol: secrets ? 'https' : 'http',
          ...secrets,
        };
    const options = { ...where, agent, version: `v${this.apiVersion}` };
    return options as Docker.DockerOptions;
  }

  async createContainer(name: string, spec: ContainerSpec): Promise<string> {
    const created = await this.ask(
      `create container ${name}`,
      (await this.#docker()).createContainer(createOptions(name, spec)),
    );
    try {
      for (const network of spec.networks.slice(1)) {
        await this.#connect(network.name, created.id, endpointOf(network));
      }
    } catch (error) {
      await this.removeContainer(created.id);
      throw error;
    }
    return created.id;
  }

  async startContainer(id: string): Promise<void> {
    const container = (await this.#docker()).getContainer(id);
    try {
      await this.#change(`start ${short(id)}`, container.start());
    } catch (error) {
      if (!/unpause/.test(reasonOf(error))) throw await this.#startFailure(`start ${short(id)}`, error);
      await this.ask(`unpause ${short(id)}`, container.unpause());
    }
  }

  async stopContainer(id: string, timeout?: number): Promise<void> {
    await this.#change(
      `stop ${short(id)}`,
      (await this.#docker()).getContainer(id).stop(timeout === undefined ? {} : { t: timeout }),
    );
  }

  async restartContainer(id: string, timeout?: number): Promise<void> {
    try {
      await this.#change(
        `restart ${short(id)}`,
        (await this.#docker()).getContainer(id).restart(timeout === undefined ? {} : { t: timeout }),
      );
    } catch (error) {
      throw await this.#startFailure(`restart ${short(id)}`, error);
    }
  }

  async #startFailure(doing: string, error: unknown): Promise<unknown> {
    if (isStuck(error)) return new StuckContainer(doing, error);
    if (allocatedPort(error) === undefined) return error;
    return withLostPort(error, await this.listContainers().catch(() => []));
  }

  async renameContainer(id: string, name: string): Promise<void> {
    await this.ask(
      `rename ${short(id)} to ${name}`,
      (await this.#docker()).getContainer(id).rename({ name }),
    );
  }

  async removeContainer(id: string): Promise<void> {
    await this.ask(
      `remove container ${short(id)}`,
      (await this.#docker()).getContainer(id).remove({ v: false, force: false }),
    );
  }

  async setRestartPolicy(id: string, policy: RestartPolicy): Promise<void> {
    const options = { RestartPolicy: restartPolicy(policy) };
    await this.ask(`update ${short(id)}`, (await this.#docker()).getContainer(id).update(options));
  }

  async exec(
    id: string,
    argv: readonly string[],
    options: { user?: string; signal?: AbortSignal; limit?: number } = {},
  ): Promise<ExecResult> {
    const signal = options.signal && { abortSignal: options.signal };
    const made = await this.ask(
      `run ${argv[0]} in ${short(id)}`,
      (await this.#docker()).getContainer(id).exec({
        Cmd: [...argv],
        AttachStdout: true,
        AttachStderr: true,
        ...(options.user && { User: options.user }),
        ...signal,
      }),
    );
    const stream = await this.ask(
      `run ${argv[0]} in ${short(id)}`,
      made.start({ hijack: false, stdin: false, ...signal }),
    );
    const { limit = outputLimit } = options;
    const parts: Buffer[] = [];
    let size = 0;
    for await (const { bytes } of frames(this.#watched(stream as unknown as Readable, options.signal))) {
      if (size < limit) parts.push(bytes);
      size += bytes.length;
    }
    const exitCode = await this.ask(`look at ${argv[0]} in ${short(id)}`, exitCodeOf(made));
    return { exitCode, output: Buffer.concat(parts).toString('utf8', 0, limit) };
  }

  async *logs(id: string, options: LogOptions): AsyncIterable<LogLine> {
    const detail = await this.inspectContainer(id);
    if (!detail) throw new AixclError('notFound', `there is no container ${id}`);
    const query = {
      stdout: true,
      stderr: true,
      timestamps: options.timestamps ?? false,
      ...(options.tail !== undefined && { tail: options.tail }),
      ...(options.since !== undefined && { since: sinceSeconds(options.since, Date.now()) }),
      ...(options.signal && { abortSignal: options.signal }),
    };
    const container = (await this.#docker()).getContainer(id);
    const answer = options.follow
      ? await this.ask(`read the log of ${short(id)}`, container.logs({ ...query, follow: true }))
      : await this.ask(`read the log of ${short(id)}`, container.logs({ ...query, follow: false }));
    const chunks = Buffer.isBuffer(answer) ? Readable.from([answer]) : (answer as Readable);
    yield* logLines(this.#watched(chunks, options.signal), detail.hasTty);
  }

  async statPath(id: string, path: string): Promise<PathState | undefined> {
    return this.#archives.stat(id, path);
  }

  async readArchive(
    id: string,
    path: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<Readable | undefined> {
    return this.#archives.read(id, path, options.signal);
  }

  async writeArchive(
    id: string,
    path: string,
    tar: Readable,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#archives.write(id, path, tar, options.signal);
  }

  async removeHelper(id: string, home: string): Promise<void> {
    await this.#removeOurs(id, home, labels.operation, 'helper container');
  }

  async removeGuard(id: string, home: string): Promise<void> {
    await this.#removeOurs(id, home, labels.guard, 'guard');
  }

  /** By force, but never what does not carry `label` and this home. */
  async #removeOurs(id: string, home: string, label: string, what: string): Promise<void> {
    const found = await this.inspectContainer(id);
    if (!found) return;
    if (found.labels[label] === undefined || found.labels[labels.home] !== home) {
      throw new AixclError('refused', `${found.name} is no ${what} of ${home}`);
    }
    try {
      await (await this.#docker()).getContainer(found.id).remove({ v: false, force: true });
    } catch (error) {
      // Gone meanwhile, or on its way: another's removal is as good.
      const status = statusOf(error);
      if (status === 404 || (status === 409 && /already in progress/.test(reasonOf(error)))) return;
      throw engineFailure(error, this.address, `remove container ${short(id)}`);
    }
  }

  async *pullImage(reference: string, options: PullOptions): AsyncIterable<PullProgress> {
    try {
      const { pull } = await import('./image-streams.ts');
      yield* pull(await this.#docker(), reference, options);
    } catch (error) {
      throw pullFailure(error, this.address, reference);
    }
  }

  async *buildImage(
    tag: string,
    definition: BuildDefinition,
    options: { signal?: AbortSignal },
  ): AsyncIterable<string> {
    try {
      const { build } = await import('./image-streams.ts');
      yield* build(await this.#docker(), tag, definition, options);
    } catch (error) {
      throw engineFailure(error, this.address, `build ${tag}`);
    }
  }

  async importImage(tag: string, tar: NodeJS.ReadableStream, changes: readonly string[]): Promise<string> {
    const [repo, version] = splitTag(tag);
    const stream = await this.ask(
      `import ${tag}`,
      (await this.#docker()).importImage(tar, { repo, tag: version, changes: [...changes] }),
    );
    for await (const line of jsonLines<{ error?: string }>(stream as Readable)) {
      if (line.error) throw new AixclError('unexpected', `the engine could not import ${tag}: ${line.error}`);
    }
    const image = await this.inspectImage(tag);
    if (!image) throw new AixclError('unexpected', `the engine took ${tag} in but does not know it`);
    return image.id;
  }

  async removeDanglingImage(id: string): Promise<void> {
    await this.ask(`remove image ${id}`, (await this.#docker()).getImage(id).remove({ force: false }));
  }

  async createNetwork(network: NetworkDefinition, labels: Readonly<Record<string, string>>): Promise<string> {
    const options: Docker.NetworkCreateOptions = {
      Name: network.name,
      Labels: { ...labels },
      Internal: network.internal,
      Options: Object.fromEntries(network.driverOpts),
      ...(network.driver && { Driver: network.driver }),
      ...(network.ipam.length > 0 && {
        IPAM: {
          Driver: 'default',
          Config: network.ipam.map((pool) => ({
            ...(pool.subnet && { Subnet: pool.subnet }),
            ...(pool.gateway && { Gateway: pool.gateway }),
            ...(pool.ipRange && { IPRange: pool.ipRange }),
          })),
        },
      }),
    };
    const created = await this.ask(
      `create network ${network.name}`,
      (await this.#docker()).createNetwork(options),
    );
    return created.id;
  }

  async connectNetwork(network: string, container: string, aliases: readonly string[]): Promise<void> {
    await this.#connect(network, container, endpointOf({ aliases }));
  }

  async removeNetwork(id: string): Promise<void> {
    await this.ask(`remove network ${short(id)}`, (await this.#docker()).getNetwork(id).remove());
  }

  async #connect(network: string, container: string, endpoint: Docker.EndpointSettings): Promise<void> {
    const options = { Container: container, EndpointConfig: endpoint };
    await this.ask(
      `connect ${container} to ${network}`,
      (await this.#docker()).getNetwork(network).connect(options),
    );
  }

  async createVolume(volume: VolumeDefinition, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.ask(
      `create volume ${volume.name}`,
      (await this.#docker()).createVolume({
        Name: volume.name,
        Driver: volume.driver ?? 'local',
        DriverOpts: Object.fromEntries(volume.driverOpts),
        Labels: { ...labels },
      }),
    );
  }

  async removeVolume(volume: DisposableVolume | SavedVolume): Promise<void> {
    const { name } = volume;
    const docker = await this.#docker();
    if ('proof' in volume) await volume.proof.assertCovers({ runtime: 'volume', name });
    try {
      await docker.getVolume(name).remove({ force: false });
    } catch (error) {
      if (statusOf(error) !== 404) throw engineFailure(error, this.address, `remove volume ${name}`);
    }
  }

  /** 304 means that it is so already. */
  async #change(doing: string, call: Promise<unknown>): Promise<void> {
    try {
      await call;
    } catch (error) {
      if (statusOf(error) !== 304) throw engineFailure(error, this.address, doing);
    }
  }

  /** A stream that ends quietly when it was aborted, and whose failures read like those of any other call. */
  async *#watched(stream: Readable, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      if (!signal?.aborted) throw engineFailure(error, this.address, 'read from the engine');
    }
  }
}

/** -1: it went with its container, whose execs the engine then forgets. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  try {
    return (await exec.inspect()).ExitCode ?? -1;
  } catch (error) {
    if (statusOf(error) === 404) return -1;
    throw error;
  }
}

function splitTag(reference: string): [repository: string, tag: string] {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, 'latest'];
}

/** As `docker ps` shows an id. */
function short(id: string): string {
  return id.slice(0, 12);
}
