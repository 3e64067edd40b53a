import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file server for tests that can misbehave: it cuts, changes, stalls and forgets what ranges are. */
export interface TestServer extends AsyncDisposable {
  readonly url: URL;
  /** Every request, in order: its range, or `whole`. */
  readonly requests: string[];
  /** Bytes of bodies that were sent. */
  sent: number;
  body: Buffer;
  etag: string | undefined;
  /** Bytes after which each of the next connections is cut. */
  cuts: number[];
  /** Bytes that the client has, where it tells: a connection is cut once all that was sent has come, for a cut loses what nobody read. */
  received: number | undefined;
  /** Status codes that the next requests get instead of the file. */
  failures: number[];
  ranges: boolean;
  /** False: `If-Range` is not looked at. */
  conditions: boolean;
  /** Longest part that one answer brings. */
  longest: number;
  /** Set on every answer. */
  headers: Record<string, string>;
  /** Send this many bytes and then nothing, without ending. */
  stallAfter: number | undefined;
}

export async function startTestServer(body: Buffer, path = '/model.gguf'): Promise<TestServer> {
  const http = createServer((request, response) => answer(server, request, response));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  const server: TestServer = {
    url: new URL(`http://127.0.0.1:${port}${path}`),
    requests: [],
    sent: 0,
    body,
    etag: '"one"',
    cuts: [],
    received: undefined,
    failures: [],
    ranges: true,
    conditions: true,
    longest: Number.POSITIVE_INFINITY,
    headers: {},
    stallAfter: undefined,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

function answer(server: TestServer, request: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  server.requests.push(request.headers.range ?? 'whole');
  if (server.etag) response.setHeader('etag', server.etag);
  for (const [name, value] of Object.entries(server.headers)) response.setHeader(name, value);
  const probing = range?.[2] === '0';
  const failure = probing ? undefined : server.failures.shift();
  if (failure) {
    response.writeHead(failure).end('no');
    return;
  }
  const condition = server.conditions ? request.headers['if-range'] : undefined;
  const partial = server.ranges && range && (condition === undefined || condition === server.etag);
  const from = partial ? Number(range[1]) : 0;
  const last = partial && range[2] ? Number(range[2]) : server.body.length - 1;
  const to = partial ? Math.min(last, from + server.longest - 1) : last;
  if (from >= server.body.length) {
    response.writeHead(416, { 'content-range': `bytes */${server.body.length}` }).end();
    return;
  }
  const part = server.body.subarray(from, to + 1);
  response.writeHead(partial ? 206 : 200, {
    'content-length': part.length,
    ...(partial && { 'content-range': `bytes ${from}-${to}/${server.body.length}` }),
  });
  const cut = probing ? undefined : server.cuts.shift();
  const limit = cut ?? (probing ? undefined : server.stallAfter);
  if (limit === undefined) {
    server.sent += part.length;
    response.end(part);
    return;
  }
  server.sent += Math.min(limit, part.length);
  response.write(part.subarray(0, limit), () => {
    if (cut !== undefined) cutOnceReceived(server, response, from + Math.min(cut, part.length));
  });
}

function cutOnceReceived(server: TestServer, response: ServerResponse, position: number): void {
  setTimeout(() => {
    const missing = server.received !== undefined && server.received < position;
    if (missing && !response.destroyed) cutOnceReceived(server, response, position);
    else response.destroy();
  }, 20);
}
