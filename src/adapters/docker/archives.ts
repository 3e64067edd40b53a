import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { PathState } from '../../stack/engine.ts';
import { engineFailure } from './failures.ts';
import { refusalOf, type Transport } from './transport.ts';

/** The engine's archive calls: files of a container as tar streams, whether it runs or not (Docker Engine API, `/containers/{id}/archive`). */
export class Archives {
  readonly #transport: Transport;
  readonly #apiVersion: string;

  constructor(transport: Transport, apiVersion: string) {
    this.#transport = transport;
    this.#apiVersion = apiVersion;
  }

  async stat(id: string, path: string): Promise<PathState | undefined> {
    return this.#told(`look at ${path}`, async () => {
      const response = await this.#transport.send('HEAD', this.#path(id, path));
      response.resume();
      if (response.statusCode === 404) {
        // An answer to HEAD has no words: whether the container or the path is missing is asked another way.
        return this.#missing(id, path);
      }
      if (response.statusCode !== 200) throw await refusalOf(response);
      return stateOf(response.headers['x-docker-container-path-stat']);
    });
  }

  async read(id: string, path: string, signal: AbortSignal | undefined): Promise<Readable | undefined> {
    return this.#told(`read ${path}`, async () => {
      const response = await this.#transport.send('GET', this.#path(id, path), { signal });
      if (response.statusCode === 200) return this.#body(response, path, signal);
      const refusal = await refusalOf(response);
      if (refusal.statusCode === 404 && !isContainerMissing(refusal.message)) return undefined;
      throw refusal;
    });
  }

  async write(id: string, path: string, tar: Readable, signal: AbortSignal | undefined): Promise<void> {
    await this.#told(`write ${path}`, async () => {
      const response = await this.#transport.send('PUT', this.#path(id, path), { signal, body: tar });
      if (response.statusCode !== 200) throw await refusalOf(response);
      response.resume();
    });
  }

  #body(response: IncomingMessage, path: string, signal: AbortSignal | undefined): Readable {
    const told = async function* (address: string) {
      try {
        for await (const chunk of response) yield chunk as Buffer;
      } catch (error) {
        throw signal?.aborted ? signal.reason : engineFailure(error, address, `read ${path}`);
      }
    };
    const stream = Readable.from(told(this.#transport.address.display), { objectMode: false });
    // Also when nobody ever began to read it.
    return stream.once('close', () => response.destroy());
  }

  /** Throws when it is the container that is missing. */
  async #missing(id: string, path: string): Promise<undefined> {
    const response = await this.#transport.send('GET', this.#path(id, path));
    if (response.statusCode === 200) {
      response.destroy();
      return undefined;
    }
    const refusal = await refusalOf(response);
    if (refusal.statusCode !== 404 || isContainerMissing(refusal.message)) throw refusal;
    return undefined;
  }

  #path(id: string, path: string): string {
    const query = new URLSearchParams({ path });
    return `/v${this.#apiVersion}/containers/${encodeURIComponent(id)}/archive?${query}`;
  }

  async #told<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw engineFailure(error, this.#transport.address.display, doing);
    }
  }
}

function isContainerMissing(words: string): boolean {
  return /no such container/i.test(words);
}

/** Bits of Go's `fs.FileMode`: where none of these is set it is a regular file. */
const modeBits = { folder: 2 ** 31, link: 2 ** 27, other: [26, 25, 24, 21, 19].map((bit) => 2 ** bit) };

/** The header is JSON in base64: name, size, Go's file mode, mtime, target of a link. */
function stateOf(header: string | string[] | undefined): PathState {
  const text = Buffer.from(String(header ?? ''), 'base64').toString('utf8');
  const raw = JSON.parse(text) as { size: number; mode: number; mtime: string };
  const has = (bit: number) => Math.floor(raw.mode / bit) % 2 === 1;
  const kind = has(modeBits.folder)
    ? 'folder'
    : has(modeBits.link)
      ? 'link'
      : modeBits.other.some(has)
        ? 'other'
        : 'file';
  return { kind, size: raw.size, modified: raw.mtime };
}
