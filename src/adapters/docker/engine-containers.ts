import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AixclError, reasonOf } from '../../errors.ts';
import { labels } from '../../labels.ts';
import { sinceSeconds } from '../../since.ts';
import type { RestartPolicy } from '../../stack/definition/types.ts';
import type { ContainerSpec, ExecResult, LogLine, LogOptions, PathState } from '../../stack/engine.ts';
import { allocatedPort, withLostPort } from '../../stack/lost-port.ts';
import { StuckContainer } from '../../stack/stuck-container.ts';
import { Archives } from './archives.ts';
import { createOptions, endpointOf, restartPolicy } from './create-options.ts';
import { EngineLibrary, short } from './engine-library.ts';
import { engineFailure, isStuck, statusOf } from './failures.ts';
import { frames, logLines } from './streams.ts';

const outputLimit = 64 * 1024;

/** The part of the engine port that is about one container: its life, what it says, files and commands in it. */
export class EngineContainers extends EngineLibrary {
  get #archives(): Archives {
    return new Archives(this.transport, this.apiVersion);
  }

  async createContainer(name: string, spec: ContainerSpec): Promise<string> {
    const created = await this.ask(
      `create container ${name}`,
      (await this.docker()).createContainer(createOptions(name, spec)),
    );
    try {
      for (const network of spec.networks.slice(1)) {
        await this.connect(network.name, created.id, endpointOf(network));
      }
    } catch (error) {
      await this.removeContainer(created.id);
      throw error;
    }
    return created.id;
  }

  async startContainer(id: string): Promise<void> {
    const container = (await this.docker()).getContainer(id);
    try {
      await this.change(`start ${short(id)}`, container.start());
    } catch (error) {
      if (!/unpause/.test(reasonOf(error))) throw await this.#startFailure(`start ${short(id)}`, error);
      await this.ask(`unpause ${short(id)}`, container.unpause());
    }
  }

  async stopContainer(id: string, timeout?: number): Promise<void> {
    await this.change(
      `stop ${short(id)}`,
      (await this.docker()).getContainer(id).stop(timeout === undefined ? {} : { t: timeout }),
    );
  }

  async restartContainer(id: string, timeout?: number): Promise<void> {
    try {
      await this.change(
        `restart ${short(id)}`,
        (await this.docker()).getContainer(id).restart(timeout === undefined ? {} : { t: timeout }),
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
    await this.ask(`rename ${short(id)} to ${name}`, (await this.docker()).getContainer(id).rename({ name }));
  }

  async removeContainer(id: string): Promise<void> {
    await this.ask(
      `remove container ${short(id)}`,
      (await this.docker()).getContainer(id).remove({ v: false, force: false }),
    );
  }

  async setRestartPolicy(id: string, policy: RestartPolicy): Promise<void> {
    const options = { RestartPolicy: restartPolicy(policy) };
    await this.ask(`update ${short(id)}`, (await this.docker()).getContainer(id).update(options));
  }

  async exec(
    id: string,
    argv: readonly string[],
    options: { user?: string; signal?: AbortSignal; limit?: number } = {},
  ): Promise<ExecResult> {
    const signal = options.signal && { abortSignal: options.signal };
    const made = await this.ask(
      `run ${argv[0]} in ${short(id)}`,
      (await this.docker()).getContainer(id).exec({
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
    for await (const { bytes } of frames(this.watched(stream as unknown as Readable, options.signal))) {
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
    const container = (await this.docker()).getContainer(id);
    const answer = options.follow
      ? await this.ask(`read the log of ${short(id)}`, container.logs({ ...query, follow: true }))
      : await this.ask(`read the log of ${short(id)}`, container.logs({ ...query, follow: false }));
    const chunks = Buffer.isBuffer(answer) ? Readable.from([answer]) : (answer as Readable);
    yield* logLines(this.watched(chunks, options.signal), detail.hasTty);
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
      await (await this.docker()).getContainer(found.id).remove({ v: false, force: true });
    } catch (error) {
      // Gone meanwhile, or on its way: another's removal is as good.
      const status = statusOf(error);
      if (status === 404 || (status === 409 && /already in progress/.test(reasonOf(error)))) return;
      throw engineFailure(error, this.address, `remove container ${short(id)}`);
    }
  }

  protected async connect(
    network: string,
    container: string,
    endpoint: Docker.EndpointSettings,
  ): Promise<void> {
    const options = { Container: container, EndpointConfig: endpoint };
    await this.ask(
      `connect ${container} to ${network}`,
      (await this.docker()).getNetwork(network).connect(options),
    );
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
