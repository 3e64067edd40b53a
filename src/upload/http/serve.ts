import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Door } from '../../adapters/page-door/door.ts';
import type { Home } from '../../home.ts';
import { safetyHeaders } from './answer.ts';
import { Listener, type PageParts } from './listener.ts';
import { refusal } from './refusals.ts';
import type { RequestLog } from './request-log.ts';

/** Milliseconds, bytes. An upload may take as long as it likes, as long as it goes on. */
export const ownLimits = {
  header: 16 * 1024,
  headersMs: 10_000,
  idleMs: 60_000,
  keepAliveMs: 10_000,
  connections: 256,
  /** For requests under way when the service is to end. */
  graceMs: 1000,
};

export interface Serving {
  /** The port that was taken. */
  readonly port: number;
  /** Takes no more requests, gives those under way a second, and ends all connections. */
  close(): Promise<void>;
}

/** Serves the page of a home. Port 0: a free one. Throws Node's own error when it can't be had. */
export async function serve(
  home: Home,
  parts: Omit<PageParts, 'door'>,
  { host, port }: { readonly host: string; readonly port: number },
  limits: typeof ownLimits = ownLimits,
): Promise<Serving> {
  const listener = new Listener({ ...parts, door: new Door(home) });
  const server = createServer({
    maxHeaderSize: limits.header,
    headersTimeout: limits.headersMs,
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: 1000,
    // Answered like any other wrong name.
    requireHostHeader: false,
  });
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs);
  server.on('request', (request, response) => void listener.handle(request, response));
  // Not told to send its body before it is let in.
  server.on('checkContinue', (request, response) => void listener.handle(request, response));
  server.on('clientError', refuseUnreadable(parts.log, limits.graceMs));
  await listening(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      listener.close();
      await Promise.race([closed, delay(limits.graceMs)]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Answers what is no request: headers without end, or too slow, or no HTTP at all. */
function refuseUnreadable(log: RequestLog, graceMs: number) {
  const refused = new WeakSet<object>();
  return (error: NodeJS.ErrnoException, socket: Socket) => {
    if (refused.has(socket)) return;
    refused.add(socket);
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const problem = refusalFor(error.code);
    const body = JSON.stringify(problem);
    const headers = {
      ...safetyHeaders,
      'Content-Type': 'application/problem+json',
      'Content-Length': String(Buffer.byteLength(body)),
      Connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    log.request(`- - ${problem.status}`);
    socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`);
    // What still comes is not worth more than the answer's way out.
    setTimeout(() => socket.destroy(), graceMs);
  };
}

function refusalFor(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') return refusal(431, 'The headers of a request are longer than 16 KiB');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal(408, 'The headers of a request took too long');
  return refusal(400, 'This is no request');
}
