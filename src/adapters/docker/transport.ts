import { Agent, type AgentOptions, type IncomingMessage, request } from 'node:http';
import type { RequestOptions } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import type { EngineAddress } from './address.ts';
import { unreachable } from './failures.ts';

/** Certificates for a TCP engine. */
export type TlsSecrets = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;

/** An answer of the engine that is none of success; its message is the engine's own. */
class EngineRefusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.name = 'EngineRefusal';
    this.statusCode = statusCode;
  }
}

/** The way to one engine: plain requests for what is read, and what dockerode needs for everything else. */
export class Transport {
  readonly address: EngineAddress;
  readonly secrets: TlsSecrets | undefined;
  /** For a socket: keeps its connections open. */
  readonly agent: Agent | undefined;

  constructor(address: EngineAddress, secrets: TlsSecrets | undefined) {
    this.address = address;
    this.secrets = secrets;
    // Without a name for the server Node works one out, by expressions that take longer than the request.
    this.agent = address.socketPath
      ? new Agent({ keepAlive: true, servername: '' } as AgentOptions)
      : undefined;
  }

  /** JSON of a `GET`; throws `EngineRefusal` for an answer other than 200. */
  async getJson<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const search = new URLSearchParams(query).toString();
    const response = await this.get(search ? `${path}?${search}` : path);
    const body = await text(response);
    if (response.statusCode !== 200) throw new EngineRefusal(response.statusCode ?? 0, messageOf(body));
    return JSON.parse(body) as T;
  }

  /** `timeout` in milliseconds until there is an answer; it fails as unreachable. */
  async get(path: string, timeout?: number): Promise<IncomingMessage> {
    return this.send('GET', path, { timeout });
  }

  /** The answer's head; its body is the caller's to read or destroy. A `body` that fails, or `signal`, ends the request with its reason. */
  async send(method: 'GET' | 'HEAD' | 'PUT', path: string, wish: Wish = {}): Promise<IncomingMessage> {
    const { socketPath, tcp, display } = this.address;
    const { timeout, signal, body, fresh } = wish;
    // Loaded when needed, and not by `import()`: the script runs from a code cache, where that can't be.
    const open = this.secrets ? process.getBuiltinModule('node:https').request : request;
    const options = {
      ...(socketPath ? { socketPath } : { host: tcp?.host, port: tcp?.port }),
      ...this.secrets,
      ...(this.agent && { agent: fresh ? false : this.agent }),
      ...(timeout !== undefined && { timeout }),
      ...(signal && { signal }),
      ...(body && { headers: { 'content-type': 'application/x-tar' } }),
      method,
      path,
    };
    return new Promise((resolve, reject) => {
      const sent = open(options, resolve);
      sent.on('timeout', () => sent.destroy(unreachable(display, 'ETIMEDOUT')));
      sent.on('error', (error) => reject(signal?.aborted ? signal.reason : error));
      if (!body) return sent.end();
      // The engine may refuse and close before it has read all: then its answer counts, not the broken pipe.
      pipeline(body, sent, (error) => error && !sent.writableEnded && reject(error));
    });
  }
}

interface Wish {
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly body?: Readable;
  /** By a connection of its own. */
  readonly fresh?: boolean;
}

/** The body as text; the engine's own words where it is an error. */
export async function refusalOf(response: IncomingMessage): Promise<EngineRefusal> {
  return new EngineRefusal(response.statusCode ?? 0, messageOf(await text(response)));
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.trim();
  }
}
