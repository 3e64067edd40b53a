import type { IncomingMessage } from 'node:http';
import { DataStore, Server, Upload as TusUpload } from '@tus/server';
import { AixclError } from '../../errors.ts';
import type { Problem } from '../api.ts';
import { problemOf } from '../problem.ts';
import { problemOfTus } from './problems.ts';
import type { Turns } from './turns.ts';

/** What the tus protocol is spoken over. Whatever is refused throws an AixclError. */
export interface TusUploads {
  /** Before anything of it is made. */
  create(
    id: string,
    metadata: Readonly<Record<string, string | null>>,
    size: number | undefined,
  ): Promise<void>;
  /** Undefined: there is none. */
  find(id: string): TusState | undefined;
  /** Answers how much there is then. */
  append(id: string, stream: NodeJS.ReadableStream): Promise<number>;
  remove(id: string): Promise<void>;
  /** The largest file for which there is room. */
  room(): Promise<number>;
}

export interface TusState {
  readonly size: number;
  readonly received: number;
}

/** Answers the tus protocol below `/uploads`. */
export function tusServer(uploads: TusUploads, turns: Turns, newId: () => string): Server {
  return new ProblemServer({
    path: '/uploads',
    datastore: new Store(uploads),
    locker: turns,
    // Who loses his turn loses it at once: `turns` has waited.
    lockDrainTimeout: 1,
    relativeLocation: true,
    // The page is of the same origin.
    allowedOrigins: () => false,
    namingFunction: newId,
    maxSize: (request) => (request.method === 'OPTIONS' ? uploads.room() : 0),
    async onResponseError(request, error) {
      await readRest((request as { runtime?: { node?: { req: IncomingMessage } } }).runtime?.node?.req);
      if ('status_code' in error) return undefined;
      const problem = problemOf(error);
      return { status_code: problem.status, body: JSON.stringify(problem) };
    },
  });
}

/** The library answers in plain text. */
class ProblemServer extends Server {
  override async write(...[context, headers, status, body]: Parameters<Server['write']>) {
    if (status < 400) return await super.write(context, headers, status, body);
    const problem = body?.startsWith('{') ? (JSON.parse(body) as Problem) : problemOfTus(status, body ?? '');
    headers.set('Content-Type', 'application/problem+json');
    if (status === 412) headers.set('Tus-Version', '1.0.0');
    return await super.write(context, headers, problem.status, JSON.stringify(problem));
  }
}

class Store extends DataStore {
  readonly #uploads: TusUploads;

  constructor(uploads: TusUploads) {
    super();
    this.#uploads = uploads;
    this.extensions = ['creation', 'termination'];
  }

  override async create(upload: TusUpload): Promise<TusUpload> {
    await this.#uploads.create(upload.id, upload.metadata ?? {}, upload.size);
    return upload;
  }

  override async getUpload(id: string): Promise<TusUpload> {
    const { size, received } = this.#find(id);
    return new TusUpload({ id, size, offset: received });
  }

  override async write(stream: NodeJS.ReadableStream, id: string): Promise<number> {
    return await this.#uploads.append(id, stream);
  }

  override async remove(id: string): Promise<void> {
    this.#find(id);
    await this.#uploads.remove(id);
  }

  #find(id: string): TusState {
    const found = this.#uploads.find(id);
    if (!found) throw noSuchUpload();
    return found;
  }
}

export function noSuchUpload(): AixclError {
  return new AixclError('notFound', 'There is no such upload');
}

/** Bytes of a request that are still read once it is refused. */
const mostRest = 16 * 2 ** 20;
const restMs = 3000;

/**
 * A client that is still sending when it is answered, and its connection closed, may see the loss of that and never the answer. So the rest of
 * what a page sends at once is read and thrown away first.
 */
async function readRest(request: IncomingMessage | undefined): Promise<void> {
  if (!request || request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let read = 0;
    const end = () => {
      clearTimeout(timer);
      request.off('data', count).off('end', end).off('close', end).off('error', end);
      resolve();
    };
    const count = (chunk: Uint8Array) => {
      read += chunk.length;
      if (read > mostRest) end();
    };
    const timer = setTimeout(end, restMs);
    request
      .removeAllListeners('data')
      .on('data', count)
      .once('end', end)
      .once('close', end)
      .once('error', end);
    request.resume();
  });
}
