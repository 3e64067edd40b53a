import { Agent, type IncomingMessage, request } from 'node:http';
import { AixclError, reasonOf, systemCode } from '../../../errors.ts';

/** One call of Ollama's HTTP API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/api/tags`. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /**
   * What a long silence means. `failure`: the call is a quick one. `work`: Ollama may be hashing or deleting gigabytes and says nothing
   * meanwhile; as long as it answers other calls, it is waited for.
   */
  readonly silence: 'failure' | 'work';
}

/** Longest that Ollama may say nothing before it counts as silent, and longest that it may take to prove that it lives. */
export interface Patience {
  readonly silenceMs: number;
  readonly probeMs: number;
}

export const defaultPatience: Patience = { silenceMs: 30_000, probeMs: 5_000 };

/** Connections to one Ollama, kept between calls. They hold no process open. */
export class Exchange {
  readonly address: string;
  readonly #patience: Patience;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(address: string, patience: Patience) {
    this.address = address;
    this.#patience = patience;
  }

  /** The answer's head has come; its body has to be read to its end or destroyed. Throws as `OllamaRuntime` does. */
  async send(call: Call): Promise<IncomingMessage> {
    call.signal?.throwIfAborted();
    for (let tries = 0; ; tries += 1) {
      const { answer, reused } = this.#start(call);
      try {
        return await answer;
      } catch (error) {
        call.signal?.throwIfAborted();
        // A kept connection that Ollama closed in the same moment, as when it restarts.
        const stale = ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');
        if (stale && reused() && tries === 0) continue;
        throw this.#explained(error);
      }
    }
  }

  /** Body of an answer in pieces; who leaves it early ends the call. Throws when the connection breaks or Ollama falls silent before its end. */
  async *read(answer: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of answer) yield chunk as Buffer;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#explained(error);
    }
  }

  #start({ method, path, body, signal, silence }: Call): {
    answer: Promise<IncomingMessage>;
    reused: () => boolean;
  } {
    const { silenceMs } = this.#patience;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(new URL(path, this.address), {
      method,
      // Work is never sent twice, so it gets a connection that can't be stale.
      agent: silence === 'work' ? false : this.#agent,
      ...(signal && { signal }),
      headers: {
        'user-agent': 'aixcl',
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
      },
    });
    let response: IncomingMessage | undefined;
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', (head) => {
        response = head;
        resolve(head);
      });
      sent.on('error', reject);
    });
    sent.on('socket', (socket) => {
      const onSilence = async () => {
        if (silence === 'work' && (await this.#lives())) socket.setTimeout(silenceMs);
        else (response ?? sent).destroy(new Error(`it has said nothing for ${silenceMs / 1000} s`));
      };
      // Not the request's own event, which comes but once.
      socket.setTimeout(silenceMs).on('timeout', onSilence);
      sent.on('close', () => socket.setTimeout(0).off('timeout', onSilence));
    });
    sent.end(text);
    return { answer, reused: () => sent.reusedSocket };
  }

  /** Asks on a connection of its own, since the other is at work. */
  #lives(): Promise<boolean> {
    return new Promise((resolve) => {
      const probe = request(new URL('/', this.address), { timeout: this.#patience.probeMs });
      probe.on('response', (response) => {
        response.resume();
        resolve(true);
      });
      probe.on('timeout', () => probe.destroy());
      probe.on('close', () => resolve(false));
      probe.on('error', () => resolve(false));
      probe.end();
    });
  }

  #explained(error: unknown): unknown {
    if (error instanceof AixclError) return error;
    const code = systemCode(error) ?? '';
    if (unreachable.has(code)) {
      return new AixclError('notRunning', `Ollama does not answer at ${this.address}: ${reasonOf(error)}`, {
        hint: 'aixcl service start ollama',
        cause: error,
      });
    }
    const reason = code === 'ECONNRESET' || code === 'EPIPE' ? 'it closed the connection' : reasonOf(error);
    return new AixclError('unexpected', `Ollama at ${this.address} broke off: ${reason}`, {
      hint: 'aixcl service logs ollama',
      cause: error,
    });
  }
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);
