import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AixclError } from '../../errors.ts';
import type { BuildDefinition, NetworkDefinition, VolumeDefinition } from '../../stack/definition/types.ts';
import type { Engine, PullOptions, PullProgress } from '../../stack/engine.ts';
import type { DisposableVolume, SavedVolume } from '../../stack/volumes/removable-volume.ts';
import { endpointOf } from './create-options.ts';
import { EngineContainers } from './engine-containers.ts';
import { short } from './engine-library.ts';
import { engineFailure, pullFailure, statusOf } from './failures.ts';
import { jsonLines } from './streams.ts';

/** The engine port, whole: beside containers what changes images, networks and volumes. What is only read goes over plain requests (`EngineReads`). */
export class DockerEngine extends EngineContainers implements Engine {
  async *pullImage(reference: string, options: PullOptions): AsyncIterable<PullProgress> {
    try {
      const { pull } = await import('./image-streams.ts');
      yield* pull(await this.docker(), reference, options);
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
      yield* build(await this.docker(), tag, definition, options);
    } catch (error) {
      throw engineFailure(error, this.address, `build ${tag}`);
    }
  }

  async importImage(tag: string, tar: NodeJS.ReadableStream, changes: readonly string[]): Promise<string> {
    const [repo, version] = splitTag(tag);
    const stream = await this.ask(
      `import ${tag}`,
      (await this.docker()).importImage(tar, { repo, tag: version, changes: [...changes] }),
    );
    for await (const line of jsonLines<{ error?: string }>(stream as Readable)) {
      if (line.error) throw new AixclError('unexpected', `the engine could not import ${tag}: ${line.error}`);
    }
    const image = await this.inspectImage(tag);
    if (!image) throw new AixclError('unexpected', `the engine took ${tag} in but does not know it`);
    return image.id;
  }

  async removeDanglingImage(id: string): Promise<void> {
    await this.ask(`remove image ${id}`, (await this.docker()).getImage(id).remove({ force: false }));
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
      (await this.docker()).createNetwork(options),
    );
    return created.id;
  }

  async connectNetwork(network: string, container: string, aliases: readonly string[]): Promise<void> {
    await this.connect(network, container, endpointOf({ aliases }));
  }

  async removeNetwork(id: string): Promise<void> {
    await this.ask(`remove network ${short(id)}`, (await this.docker()).getNetwork(id).remove());
  }

  async createVolume(volume: VolumeDefinition, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.ask(
      `create volume ${volume.name}`,
      (await this.docker()).createVolume({
        Name: volume.name,
        Driver: volume.driver ?? 'local',
        DriverOpts: Object.fromEntries(volume.driverOpts),
        Labels: { ...labels },
      }),
    );
  }

  async removeVolume(volume: DisposableVolume | SavedVolume): Promise<void> {
    const { name } = volume;
    const docker = await this.docker();
    if ('proof' in volume) await volume.proof.assertCovers({ runtime: 'volume', name });
    try {
      await docker.getVolume(name).remove({ force: false });
    } catch (error) {
      if (statusOf(error) !== 404) throw engineFailure(error, this.address, `remove volume ${name}`);
    }
  }
}

function splitTag(reference: string): [repository: string, tag: string] {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, 'latest'];
}
