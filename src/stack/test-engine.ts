import type { RestartPolicy } from './definition/types.ts';
import type {
  ContainerSpec,
  ContainerSummary,
  Engine,
  ImageDetail,
  PullOptions,
  VolumeSummary,
} from './engine.ts';
import { containerId, detail, image } from './test-stack.ts';

export interface EngineWorld {
  readonly containers?: readonly ContainerSummary[];
  /** References that are here, or images. */
  readonly images?: readonly (string | ImageDetail)[];
  /** Names. */
  readonly networks?: readonly string[];
  /** Names, or volumes. */
  readonly volumes?: readonly (string | VolumeSummary)[];
}

/**
 * An engine in memory: it keeps what it is told and writes down each change in `did`. Anything that a test is about is replaced by the
 * test: `engine.startContainer = …`.
 */
export class TestEngine implements Engine {
  readonly address = 'unix:///test';
  /** One line a change: what was called, on what. */
  readonly did: string[] = [];
  readonly specs = new Map<string, ContainerSpec>();
  /** By container id; absent: `no`. */
  readonly restartPolicies = new Map<string, RestartPolicy>();
  readonly #containers: Map<string, ContainerSummary>;
  readonly #images: Map<string, ImageDetail>;
  readonly #networks: Set<string>;
  readonly #volumes: Map<string, VolumeSummary>;
  #made = 0;

  constructor(world: EngineWorld = {}) {
    this.#containers = new Map((world.containers ?? []).map((one) => [one.id, one]));
    const images = (world.images ?? []).map((one) => (typeof one === 'string' ? image(one) : one));
    this.#images = new Map(
      images.flatMap((one) => (one.tags.length > 0 ? one.tags : [one.id]).map((tag) => [tag, one] as const)),
    );
    this.#networks = new Set(world.networks);
    const volumes = (world.volumes ?? []).map((one) => (typeof one === 'string' ? volumeCalled(one) : one));
    this.#volumes = new Map(volumes.map((one) => [one.name, one]));
  }

  /** Every container as `name state`. */
  get stand(): string[] {
    return [...this.#containers.values()].map(({ name, state }) => `${name} ${state}`);
  }

  assertThere: Engine['assertThere'] = async () => {};

  info: Engine['info'] = async () => ({
    version: '28.0.0',
    apiVersion: '1.51',
    operatingSystem: 'Test',
    runtimes: ['runc'],
    cdiDevices: [],
    dataRoot: '/var/lib/docker',
    rootless: false,
  });

  listContainers: Engine['listContainers'] = async () => [...this.#containers.values()];

  inspectContainer: Engine['inspectContainer'] = async (id) => {
    const found = this.#containers.get(id);
    return (
      found &&
      detail(found, {
        healthcheckTest: this.specs.get(id)?.healthcheck?.test ?? [],
        restart: this.restartPolicies.get(id) ?? { name: 'no' },
      })
    );
  };

  createContainer: Engine['createContainer'] = async (name, spec) => {
    this.#made += 1;
    const id = containerId(`ffff${String(this.#made).padStart(4, '0')}`);
    this.did.push(`create ${name}`);
    this.specs.set(id, spec);
    if (spec.restart) this.restartPolicies.set(id, spec.restart);
    this.#containers.set(id, {
      id,
      name,
      image: spec.image,
      imageId: this.#images.get(spec.image)?.id ?? '',
      state: 'created',
      status: 'Created',
      health: 'none',
      labels: spec.labels,
      ports: [],
      mounts: spec.mounts.map((mount) => ({
        kind: mount.kind,
        ...(mount.kind === 'volume' && mount.name && { name: mount.name }),
        ...(mount.kind === 'bind' && { source: mount.source }),
        target: mount.target,
      })),
      created: 0,
    });
    return id;
  };

  startContainer: Engine['startContainer'] = async (id) => {
    this.did.push(`start ${this.#name(id)}`);
    this.change(id, { state: 'running' });
  };

  stopContainer: Engine['stopContainer'] = async (id) => {
    this.did.push(`stop ${this.#name(id)}`);
    this.change(id, { state: 'exited' });
  };

  restartContainer: Engine['restartContainer'] = async (id) => {
    this.did.push(`restart ${this.#name(id)}`);
    this.change(id, { state: 'running' });
  };

  renameContainer: Engine['renameContainer'] = async (id, name) => {
    this.did.push(`rename ${this.#name(id)} to ${name}`);
    if ([...this.#containers.values()].some((other) => other.name === name))
      throw new Error(`${name} is taken`);
    this.change(id, { name });
  };

  removeContainer: Engine['removeContainer'] = async (id) => {
    this.did.push(`remove ${this.#name(id)}`);
    this.#containers.delete(id);
  };

  setRestartPolicy: Engine['setRestartPolicy'] = async (id, policy) => {
    this.did.push(`set the restart policy of ${this.#name(id)} to ${policy.name}`);
    this.restartPolicies.set(id, policy);
  };

  exec: Engine['exec'] = async () => ({ exitCode: 0, output: '' });

  async *logs(): AsyncGenerator<{ stream: 'stdout'; text: string }> {
    yield { stream: 'stdout', text: 'last words' };
  }

  statPath: Engine['statPath'] = async () => undefined;
  readArchive: Engine['readArchive'] = async () => undefined;
  writeArchive: Engine['writeArchive'] = async () => {};

  removeHelper: Engine['removeHelper'] = async (id) => {
    this.did.push(`remove helper ${this.#name(id)}`);
    this.#containers.delete(id);
  };

  removeGuard: Engine['removeGuard'] = async (id) => {
    this.did.push(`remove guard ${this.#name(id)}`);
    this.#containers.delete(id);
  };

  listDanglingImages: Engine['listDanglingImages'] = async () =>
    [...this.#images.values()].filter(({ tags }) => tags.length === 0);
  removeDanglingImage: Engine['removeDanglingImage'] = async (id) => {
    this.did.push(`remove image ${id}`);
  };

  inspectImage: Engine['inspectImage'] = async (reference) => this.#images.get(reference);

  async *pullImage(reference: string, _options?: PullOptions): ReturnType<Engine['pullImage']> {
    this.did.push(`pull ${reference}`);
    yield { text: 'Pulling' };
    this.#images.set(reference, image(reference));
  }

  async *buildImage(tag: string): ReturnType<Engine['buildImage']> {
    this.did.push(`build ${tag}`);
    yield 'Step 1/1';
    this.#images.set(tag, image(tag, `sha256:built-${tag}`));
  }

  importImage: Engine['importImage'] = async () => {
    throw new Error('not in this engine');
  };

  listNetworks: Engine['listNetworks'] = async () =>
    [...this.#networks].map((name) => ({ id: name, name, labels: {} }));
  inspectNetwork: Engine['inspectNetwork'] = async (name) =>
    this.#networks.has(name) ? { id: name, name, labels: {} } : undefined;
  createNetwork: Engine['createNetwork'] = async ({ name }) => {
    this.did.push(`create network ${name}`);
    return name;
  };
  connectNetwork: Engine['connectNetwork'] = async () => {};
  removeNetwork: Engine['removeNetwork'] = async (id) => {
    this.did.push(`remove network ${id}`);
    this.#networks.delete(id);
  };

  listVolumes: Engine['listVolumes'] = async () => [...this.#volumes.values()];
  inspectVolume: Engine['inspectVolume'] = async (name) => this.#volumes.get(name);
  createVolume: Engine['createVolume'] = async ({ name, driver = 'local', driverOpts }, own) => {
    this.did.push(`create volume ${name}`);
    const options = Object.fromEntries(driverOpts);
    this.#volumes.set(name, { ...volumeCalled(name), driver, options, labels: own });
  };
  removeVolume: Engine['removeVolume'] = async (volume) => {
    const { name } = volume;
    if ('proof' in volume) await volume.proof.assertCovers({ runtime: 'volume', name });
    this.did.push(`remove volume ${name}`);
    this.#volumes.delete(name);
  };

  usage: Engine['usage'] = async () => ({ volumes: new Map(), containers: new Map() });

  change(id: string, change: Partial<ContainerSummary>): void {
    const before = this.#containers.get(id);
    if (!before) throw new Error(`no container ${id}`);
    this.#containers.set(id, { ...before, ...change });
  }

  #name(id: string): string {
    return this.#containers.get(id)?.name ?? id;
  }
}

function volumeCalled(name: string): VolumeSummary {
  return { name, driver: 'local', options: {}, labels: {}, mountpoint: `/var/lib/docker/volumes/${name}` };
}
