import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageState } from '../api.ts';
import type { Desk } from '../desk.ts';

/** So that what stands between knows that the connection lives. */
const heartbeatMs = 15_000;

/** Those who watch the state by server-sent events. */
export class EventStreams {
  readonly #desk: Desk;
  readonly #open = new Set<ServerResponse>();
  readonly #texts = new WeakMap<PageState, string>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Sends the state whenever it changed, until the connection ends. For one who does not read, what lies between is left out: nothing waits but what
   * the engine's buffers took already, and one state.
   */
  add(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', Connection: 'close' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    let latest: PageState | undefined;
    const isOpen = () => !response.writableEnded && !response.writableNeedDrain;
    const flush = () => {
      if (!latest || !isOpen()) return;
      response.write(this.#textOf(latest));
      latest = undefined;
    };
    response.on('drain', flush);
    const heartbeat = setInterval(() => {
      if (isOpen()) response.write(':\n\n');
    }, heartbeatMs);
    this.#open.add(response);
    const watch = this.#desk.watch((state) => {
      latest = state;
      flush();
    });
    response.once('close', () => {
      clearInterval(heartbeat);
      watch[Symbol.dispose]();
      this.#open.delete(response);
    });
  }

  /** Ends them all; their browsers come back by themselves. */
  end(): void {
    for (const response of this.#open) response.end();
  }

  #textOf(state: PageState): string {
    let text = this.#texts.get(state);
    if (text === undefined) {
      text = `event: state\ndata: ${JSON.stringify(state)}\n\n`;
      this.#texts.set(state, text);
    }
    return text;
  }
}
