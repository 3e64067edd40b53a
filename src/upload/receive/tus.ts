import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
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
  append(id: string, stream: Readable): Promise<number>;
  remove(id: string): Promise<void>;
  /** The largest file for which there is room. */
  room(): Promise<number>;
}

export interface TusState {
  readonly size: number;
  readonly received: number;
}

/** The request that is being answered. */
const bodies = new AsyncLocalStorage<IncomingMessage>();

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
    // The body is read past the library, which would take it through several streams more: that costs more than all else.
    async onIncomingRequest(request) {
      Object.defineProperty(request, 'body', { value: null });
    },
    onResponseError(_request, error) {
      if ('status_code' in error) return undefined;
      const problem = problemOf(error);
      return { status_code: problem.status, body: JSON.stringify(problem) };
    },
  });
}

/** The library answers in plain text. */
class ProblemServer extends Server {
  override async handle(request: IncomingMessage, response: ServerResponse) {
    await bodies.run(request, () => super.handle(request, response));
  }

  override async write(...[context, headers, status, body]: Parameters<Server['write']>) {
    if (status < 400) return await super.write(context, headers, status, body);
    const problem = body?.startsWith('{') ? (JSON.parse(body) as Problem) : problemOfTus(status, body ?? '');
    headers.set('Content-Type', 'application/problem+json');
    if (problem.status === 412) headers.set('Tus-Version', '1.0.0');
    const answer = await super.write(context, headers, problem.status, JSON.stringify(problem));
    // Who is still sending when his connection is closed may see that and never the answer.
    answer.headers.delete('Connection');
    return answer;
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

  override async write(_stream: unknown, id: string): Promise<number> {
    const body = bodies.getStore();
    if (!body) throw new Error('no request has this body');
    return await this.#uploads.append(id, body);
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
