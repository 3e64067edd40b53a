import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOllamaName } from '../../models/ollama/name.ts';
import { digestOf } from '../../vault/digest.ts';
import { registries } from './registry-client.ts';

const bytes = Buffer.from('the weights of a model');
const digest = digestOf(createHash('sha256').update(bytes).digest('hex'));
const layer = { mediaType: 'application/vnd.ollama.image.model', digest, size: bytes.length };
const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { ...layer, mediaType: 'config' },
  layers: [layer],
});
const signal = new AbortController().signal;

let folder: string;
let host: string;
/** What is asked: method, path, and who asks. */
let asked: string[];
let protectedBy: string | undefined;
let sent: Buffer;

const server = createServer((request, response) => {
  const { authorization } = request.headers;
  asked.push([request.method, request.url, authorization].filter(Boolean).join(' '));
  answer(request, response, authorization);
});

function answer(request: IncomingMessage, response: ServerResponse, authorization: string | undefined): void {
  const path = request.url!.split('?')[0];
  if (path === '/token') {
    response.end(JSON.stringify({ token: 'anonymous' }));
  } else if (protectedBy !== undefined && authorization !== 'Bearer anonymous') {
    response.writeHead(401, { 'www-authenticate': protectedBy }).end();
  } else if (path === '/v2/library/tea/manifests/latest') {
    response.setHeader('content-type', request.headers.accept!);
    response.end(manifest);
  } else if (path === `/v2/library/tea/blobs/${digest}`) {
    response.setHeader('content-length', sent.length);
    response.end(request.method === 'HEAD' ? undefined : sent);
  } else if (path === '/v2/library/odd/manifests/latest') {
    response.end('{"layers": 7}');
  } else {
    response.writeHead(404).end();
  }
}

beforeEach(async () => {
  asked = [];
  protectedBy = undefined;
  sent = bytes;
  folder = await mkdtemp(join(tmpdir(), 'aixcl-registry-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const tea = () => parseOllamaName(`${host}/library/tea`);

test('a registry near by is asked by plain http where it speaks no https, and this is remembered', async () => {
  const registry = registries();
  expect(await registry.look(tea(), { signal })).toMatchObject({
    kind: 'found',
    insecure: true,
    manifest: { layers: [layer] },
  });
  expect(await registry.blobSize(tea(), digest, { signal })).toBe(bytes.length);
  expect(asked).toEqual(['GET /v2/library/tea/manifests/latest', `HEAD /v2/library/tea/blobs/${digest}`]);
});

test('what the registry does not have is told from a registry that does not answer', async () => {
  const registry = registries();
  expect(await registry.look(parseOllamaName(`${host}/library/none`), { signal })).toMatchObject({
    kind: 'absent',
  });
  expect(await registry.look(parseOllamaName(`${host}/library/odd`), { signal })).toMatchObject({
    kind: 'unreachable',
  });
  expect(await registry.look(parseOllamaName('127.0.0.1:1/library/tea'), { signal })).toMatchObject({
    kind: 'unreachable',
  });
});

test('a token for everyone is fetched where the registry asks for one, and sent from then on', async () => {
  protectedBy = `Bearer realm="http://${host}/token",service="reg",scope="repository:library/tea:pull"`;
  const registry = registries();
  expect(await registry.look(tea(), { signal })).toMatchObject({ kind: 'found' });
  expect(await registry.blobSize(tea(), digest, { signal })).toBe(bytes.length);
  expect(asked).toEqual([
    'GET /v2/library/tea/manifests/latest',
    'GET /token?service=reg&scope=repository%3Alibrary%2Ftea%3Apull',
    'GET /v2/library/tea/manifests/latest Bearer anonymous',
    `HEAD /v2/library/tea/blobs/${digest} Bearer anonymous`,
  ]);
});

test('a registry that wants more than that is one that does not answer to us', async () => {
  protectedBy = 'Basic realm="me"';
  expect(await registries().look(tea(), { signal })).toMatchObject({
    kind: 'unreachable',
    why: expect.stringContaining('401'),
  });
});

test('a blob comes as a file with the right bytes, or not at all', async () => {
  const path = join(folder, 'blob');
  await registries().fetchBlob(tea(), layer, path, { signal });
  expect((await readFile(path)).equals(bytes)).toBe(true);
  sent = Buffer.from('the WEIGHTS of a model');
  await expect(registries().fetchBlob(tea(), layer, join(folder, 'other'), { signal })).rejects.toMatchObject(
    { code: 'verification' },
  );
});
