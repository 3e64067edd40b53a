import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { EngineReads } from './engine-reads.ts';
import { engineFailure, statusOf } from './failures.ts';

/** What all that changes or streams goes over: dockerode, and its failures in our words. */
export class EngineLibrary extends EngineReads {
  #library: Promise<Docker> | undefined;

  /** Loaded when something is changed or streamed: it takes as long as a read command may. */
  protected docker(): Promise<Docker> {
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

  /** 304 means that it is so already. */
  protected async change(doing: string, call: Promise<unknown>): Promise<void> {
    try {
      await call;
    } catch (error) {
      if (statusOf(error) !== 304) throw engineFailure(error, this.address, doing);
    }
  }

  /** A stream that ends quietly when it was aborted, and whose failures read like those of any other call. */
  protected async *watched(stream: Readable, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      if (!signal?.aborted) throw engineFailure(error, this.address, 'read from the engine');
    }
  }
}

/** As `docker ps` shows an id. */
export function short(id: string): string {
  return id.slice(0, 12);
}
