import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { buildLocalImage } from '../../src/adapters/debian/llama-image.ts';
import { unmountUnder } from '../../src/adapters/debian/mounts.ts';
import type { Report } from '../../src/adapters/debian/run-command.ts';
import { answers, startDaemon } from '../../src/adapters/debian/start-engine.ts';
import { connect } from '../../src/adapters/docker/connect.ts';
import { systemCode } from '../../src/errors.ts';
import { cacheFolder } from '../../src/home.ts';
import { isLocalImage, localLlamaImage } from '../../src/stack/local-image.ts';
import { letThrough, letThroughNoMore } from './forwarding.ts';
import { isOllamaStandIn } from './ollama-image.ts';
import { isPageImage } from './page-image.ts';

/** A `dockerd` of the tests' own: nothing that it holds is anybody else's, so it may be emptied, killed and started again. */
export class PrivateEngine {
  readonly host: string;
  readonly socket: string;
  readonly directory: string;
  readonly #dataRoot: string;
  readonly #pidFile: string;
  readonly #network: string;
  readonly #command: readonly string[];

  /**
   * `name` is unique on this machine. `network` is the second byte of the addresses (10.N.0.0/16) that its networks get. `command` starts
   * it. Images stay under the user's cache folder from run to run; pid file and sockets lie under a short path.
   */
  constructor(name: string, network: number, command: readonly string[] = ['dockerd']) {
    this.directory = `/run/aixcl-test-${name}`;
    this.socket = join(this.directory, 'docker.sock');
    this.host = `unix://${this.socket}`;
    this.#dataRoot = join(cacheFolder(), 'test', `engine-${name}`);
    this.#pidFile = join(this.directory, 'docker.pid');
    this.#network = `10.${network}.0.0/16`;
    this.#command = command;
  }

  /** Its API, for what the product's own port does not do. */
  get api(): Dockerode {
    return new Dockerode({ socketPath: this.socket });
  }

  /** Starts it, or leaves it as it is when it runs. */
  async start(): Promise<void> {
    if (await answers(this.socket)) return;
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#dataRoot, { recursive: true });
    // Otherwise the daemon would read the settings of the machine's own engine.
    const config = join(this.directory, 'daemon.json');
    writeFileSync(config, '{}');
    const args = [
      ['--config-file', config],
      ['--data-root', this.#dataRoot],
      ['--exec-root', join(this.directory, 'exec')],
      ['--host', this.host],
      // Two daemons would quarrel over docker0.
      ['--bridge', 'none'],
      ['--default-address-pool', `base=${this.#network},size=26`],
      // A daemon that starts empties the chains that all daemons of a machine share. Without them published ports are served by proxies,
      // and only containers' ways out of the machine are missing (and those to each other, see forwarding.ts).
      ['--iptables=false', '--ip6tables=false'],
    ].flat();
    await startDaemon(args, {
      socket: this.socket,
      log: join(this.directory, 'log'),
      pidFile: this.#pidFile,
      command: this.#command,
    });
    await letThrough(this.#network);
  }

  /** `kill -9`, as a crash or the kernel would. Containers live on without it. */
  async kill(): Promise<void> {
    const containerd = this.#containerd;
    await end(this.pid, 'SIGKILL');
    // The kernel ends it with its parent. A daemon started too soon would take it for alive.
    await gone(containerd);
  }

  /** Ends it, its containers and its containerd. */
  async stop(): Promise<void> {
    if (await answers(this.socket)) await this.removeContainers();
    await end(this.pid, 'SIGTERM');
    await end(this.#containerd, 'SIGTERM');
    await letThroughNoMore(this.#network);
    // What a killed daemon left mounted.
    await unmountUnder(this.#dataRoot);
    await unmountUnder(this.directory);
  }

  /** Process id, while it runs. */
  get pid(): number | undefined {
    return this.#process(this.#pidFile);
  }

  get #containerd(): number | undefined {
    return this.#process(join(this.directory, 'exec', 'containerd', 'containerd.pid'));
  }

  /** Removes every container, volume and network; brings the llama-server image back when a test removed it. */
  async reset({ report = () => {} }: { report?: Report } = {}): Promise<void> {
    await this.removeContainers();
    const { Volumes } = await this.api.listVolumes();
    for (const { Name } of Volumes ?? []) await this.api.getVolume(Name).remove({ force: true });
    for (const { Id, Name } of await this.api.listNetworks()) {
      if (!['bridge', 'host', 'none'].includes(Name)) await this.api.getNetwork(Id).remove();
    }
    const engine = await connect({ host: this.host, context: undefined, env: {} });
    if (!isLocalImage(await engine.inspectImage(localLlamaImage))) {
      await buildLocalImage(engine, localLlamaImage, { report });
    }
  }

  /** Removes all images but those that `setup/` makes, as they are now, so that no test is served by what an earlier run left. */
  async removeOtherImages(): Promise<void> {
    const ours = (tag: string) => tag === localLlamaImage || isOllamaStandIn(tag) || isPageImage(tag);
    for (const { Id, RepoTags } of await this.api.listImages()) {
      if (!RepoTags?.some(ours)) await this.api.getImage(Id).remove({ force: true });
    }
  }

  async has(image: string): Promise<boolean> {
    const images = await this.api.listImages();
    return images.some(({ RepoTags }) => RepoTags?.includes(image));
  }

  async removeContainers(): Promise<void> {
    const all = await this.api.listContainers({ all: true });
    await Promise.all(all.map(({ Id }) => this.api.getContainer(Id).remove({ force: true, v: true })));
  }

  /** The process that a pid file names, if it still is one of this engine: numbers are given again. */
  #process(pidFile: string): number | undefined {
    if (!existsSync(pidFile)) return undefined;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const commandLine = `/proc/${pid}/cmdline`;
    return existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(this.directory)
      ? pid
      : undefined;
  }
}

const patienceMs = 30_000;

/** Ends a process and waits until it is gone from the process table too: a daemon won't start while an older one's number is in it. */
async function end(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
  await gone(pid, signal === 'SIGTERM' ? () => end(pid, 'SIGKILL') : undefined);
}

async function gone(pid: number | undefined, otherwise?: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(50)) {
    if (pid === undefined || !existsSync(`/proc/${pid}`)) return;
  }
  if (!otherwise) throw new Error(`process ${pid} does not end`);
  await otherwise();
}
