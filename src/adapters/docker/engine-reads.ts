import type Docker from 'dockerode';
import type {
  ContainerDetail,
  ContainerSummary,
  EngineInfo,
  EngineUsage,
  ImageDetail,
  NetworkSummary,
  VolumeSummary,
} from '../../stack/engine.ts';
import { engineFailure, statusOf } from './failures.ts';
import { toDetail, toImage, toInfo, toSummary, toVolume } from './translate.ts';
import type { Transport } from './transport.ts';

type Labels = Readonly<Record<string, string>>;

/** The reading half of the engine port: one plain `GET` each, so that a read command loads no more than that takes. */
export class EngineReads {
  readonly address: string;
  protected readonly transport: Transport;
  protected readonly apiVersion: string;

  constructor(transport: Transport, apiVersion: string) {
    this.address = transport.address.display;
    this.transport = transport;
    this.apiVersion = apiVersion;
  }

  async info(): Promise<EngineInfo> {
    return toInfo(await this.#read('info', '/info'), this.apiVersion);
  }

  async assertThere(): Promise<void> {
    try {
      (await this.transport.send('GET', '/_ping', { fresh: true })).resume();
    } catch (error) {
      throw engineFailure(error, this.address, 'ping');
    }
  }

  async listContainers(labels: Labels = {}): Promise<ContainerSummary[]> {
    const query = { all: '1', filters: labelFilter(labels) };
    const raw = await this.#read<Docker.ContainerInfo[]>('list containers', '/containers/json', query);
    return raw.map(toSummary);
  }

  async inspectContainer(id: string): Promise<ContainerDetail | undefined> {
    const path = `/containers/${encodeURIComponent(id)}/json`;
    const raw = await this.#find<Docker.ContainerInspectInfo>(`inspect ${id}`, path);
    return raw && toDetail(raw);
  }

  async inspectImage(reference: string): Promise<ImageDetail | undefined> {
    // A reference's slashes are part of the path.
    const path = `/images/${encodeURIComponent(reference).replaceAll('%2F', '/')}/json`;
    const raw = await this.#find<Docker.ImageInspectInfo>(`inspect image ${reference}`, path);
    return raw && toImage(raw);
  }

  async listNetworks(labels: Labels = {}): Promise<NetworkSummary[]> {
    const query = { filters: labelFilter(labels) };
    const raw = await this.#read<Docker.NetworkInspectInfo[]>('list networks', '/networks', query);
    return raw.map(toNetwork);
  }

  async inspectNetwork(name: string): Promise<NetworkSummary | undefined> {
    const path = `/networks/${encodeURIComponent(name)}`;
    const raw = await this.#find<Docker.NetworkInspectInfo>(`inspect network ${name}`, path);
    // The engine takes the first digits of an id for a name too.
    return raw?.Name === name ? toNetwork(raw) : undefined;
  }

  async listVolumes(labels: Labels = {}): Promise<VolumeSummary[]> {
    type Raw = { readonly Volumes: readonly Docker.VolumeInspectInfo[] | null };
    const raw = await this.#read<Raw>('list volumes', '/volumes', { filters: labelFilter(labels) });
    return (raw.Volumes ?? []).map(toVolume);
  }

  async inspectVolume(name: string): Promise<VolumeSummary | undefined> {
    const path = `/volumes/${encodeURIComponent(name)}`;
    const raw = await this.#find<Docker.VolumeInspectInfo>(`inspect volume ${name}`, path);
    return raw && toVolume(raw);
  }

  async listDanglingImages(): Promise<ImageDetail[]> {
    const query = { filters: JSON.stringify({ dangling: ['true'] }) };
    const raw = await this.#read<Docker.ImageInfo[]>('list images', '/images/json', query);
    return raw.map((image) => ({
      id: image.Id,
      tags: [],
      digests: image.RepoDigests ?? [],
      labels: image.Labels ?? {},
      size: image.Size,
    }));
  }

  async usage(): Promise<EngineUsage> {
    const raw = await this.#read<RawUsage>('ask what takes how much', '/system/df');
    const volumes = (raw.Volumes ?? []).map(({ Name, UsageData }) => [Name, UsageData?.Size ?? -1] as const);
    return {
      // -1 stands for "not known".
      volumes: new Map(volumes.filter(([, size]) => size >= 0)),
      containers: new Map((raw.Containers ?? []).map(({ Id, SizeRw = 0 }) => [Id, SizeRw])),
    };
  }

  protected async ask<T>(doing: string, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw engineFailure(error, this.address, doing);
    }
  }

  #read<T>(doing: string, path: string, query?: Readonly<Record<string, string>>): Promise<T> {
    return this.ask(doing, this.transport.getJson<T>(`/v${this.apiVersion}${path}`, query));
  }

  /** Undefined for "no such thing". */
  async #find<T>(doing: string, path: string): Promise<T | undefined> {
    try {
      return await this.transport.getJson<T>(`/v${this.apiVersion}${path}`);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw engineFailure(error, this.address, doing);
    }
  }
}

/** As much of `/system/df` as is read. */
interface RawUsage {
  readonly Volumes?:
    | readonly { readonly Name: string; readonly UsageData?: { readonly Size: number } | null }[]
    | null;
  readonly Containers?: readonly { readonly Id: string; readonly SizeRw?: number }[] | null;
}

function toNetwork(raw: Docker.NetworkInspectInfo): NetworkSummary {
  return { id: raw.Id, name: raw.Name, labels: raw.Labels ?? {} };
}

/** JSON for the API's `filters`; a label without a value asks for its presence. */
function labelFilter(labels: Labels): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  });
}
