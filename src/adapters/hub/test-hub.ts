import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Hub for tests, with one repository: its API's list of files in pages, and files behind a redirect to another host. */
export interface TestHub extends AsyncDisposable {
  /** For `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `GET PATH`, with who asked, in order; what went to the other host begins with `cdn`. */
  readonly requests: string[];
  /** By path in the repository. */
  readonly files: Map<string, Buffer>;
  /** Bearer token that is asked for; undefined: everyone is let in. */
  token: string | undefined;
  /** So many requests are yet to be cut before an answer. */
  cuts: number;
}

export const testRepository = 'someone/tea-GGUF';

export async function startTestHub(files: Readonly<Record<string, Buffer>>): Promise<TestHub> {
  const cdn = await listening((request, response) => {
    hub.requests.push(told('cdn', request));
    sendFile(hub, request, response);
  });
  const front = await listening((request, response) => {
    hub.requests.push(told(request.method ?? '', request));
    answer(hub, cdn.origin, request, response);
  });
  const hub: TestHub = {
    endpoint: front.origin,
    requests: [],
    files: new Map(Object.entries(files)),
    token: undefined,
    cuts: 0,
    async [Symbol.asyncDispose]() {
      await front.stop();
      await cdn.stop();
    },
  };
  return hub;
}

function answer(hub: TestHub, cdn: string, request: IncomingMessage, response: ServerResponse): void {
  if (hub.cuts > 0) {
    hub.cuts -= 1;
    request.destroy();
    return;
  }
  const url = new URL(request.url ?? '/', hub.endpoint);
  if (hub.token !== undefined && request.headers.authorization !== `Bearer ${hub.token}`) {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Invalid login"}');
    return;
  }
  if (url.pathname === `/api/models/${testRepository}/tree/main`) {
    const entries = [...hub.files].map(([path, bytes]) => ({
      type: 'file',
      path,
      size: bytes.length,
      oid: '0',
      ...(path.endsWith('.gguf') && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
    }));
    const page = Number(url.searchParams.get('cursor') ?? 0);
    url.searchParams.set('cursor', String(page + 1));
    if (page + 1 < entries.length) response.setHeader('link', `<${url.href}>; rel="next"`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(entries.slice(page, page + 1)));
    return;
  }
  const path = decodeURIComponent(url.pathname.replace(`/${testRepository}/resolve/main/`, ''));
  const bytes = hub.files.get(path);
  if (!bytes) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
    return;
  }
  const location = `${cdn}/${encodeURIComponent(path)}`;
  const stated = { 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': bytes.length };
  response.writeHead(302, { location, ...stated }).end();
}

function sendFile(hub: TestHub, request: IncomingMessage, response: ServerResponse): void {
  const bytes = hub.files.get(decodeURIComponent((request.url ?? '/').slice(1))) ?? Buffer.of();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  response.setHeader('etag', `"${bytes.length}"`);
  if (from === undefined) {
    response.end(bytes);
    return;
  }
  const end = to ? Number(to) + 1 : bytes.length;
  const range = `bytes ${from}-${end - 1}/${bytes.length}`;
  response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from), end));
}

function told(who: string, { url = '/', headers: { authorization } }: IncomingMessage): string {
  return [who, url.split('?')[0], authorization].filter(Boolean).join(' ');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function listening(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ origin: string; stop(): Promise<unknown> }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
