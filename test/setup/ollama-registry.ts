import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { parseOllamaName } from '../../src/models/ollama/name.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { type ModelWish, type OllamaModel, ollamaModel } from './ollama-model.ts';
import { runProcess } from './process.ts';
import { variables } from './variables.ts';

/** A registry of models over plain http, reached under one address by this machine and by every container on it. */
export interface Registry extends AsyncDisposable {
  /** `10.208.0.1:PORT`. */
  readonly address: string;
  /** `GET /v2/library/tea/manifests/latest`, in order. */
  readonly requests: string[];
  /** Takes a request over: true when it answered itself. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Bytes a second of each blob's way out; undefined: as fast as it goes. */
  pace: number | undefined;
  /** What Ollama calls a model in here: `10.208.0.1:PORT/library/tea:latest`. */
  name(model: string): string;
}

/**
 * Debian's `docker-registry` behind a server of ours. That gives blobs a `Location`, which Ollama takes for granted: it reads their parts from
 * where the registry leads it, and Ollama's own registry leads elsewhere.
 */
export async function startRegistry(): Promise<Registry> {
  const behind = await startDockerRegistry();
  const host = await sharedAddress();
  const server = createServer((incoming, outgoing) => {
    registry.requests.push(`${incoming.method} ${incoming.url}`);
    if (!registry.intercept?.(incoming, outgoing)) pass(behind.address, registry, incoming, outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  const address = `${host}:${(server.address() as AddressInfo).port}`;
  const registry: Registry = {
    address,
    requests: [],
    intercept: undefined,
    pace: undefined,
    name: (model) => `${address}/${model.includes('/') ? model : `library/${model}`}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await behind[Symbol.asyncDispose]();
    },
  };
  return registry;
}

/** Puts a model into the registry under `name`: `tea`, `tea:v2`, `someone/tea:v2`. What stood under the name is there no more. */
export async function pushModel(
  registry: Registry,
  name: string,
  wish: ModelWish | OllamaModel = {},
): Promise<OllamaModel> {
  const model = 'blobs' in wish ? wish : await ollamaModel(wish);
  const { namespace, model: repository, tag } = parseOllamaName(registry.name(name));
  const base = `http://${registry.address}/v2/${namespace}/${repository}`;
  for (const { digest, content } of model.blobs) {
    const begun = await accepted(fetch(`${base}/blobs/uploads/`, { method: 'POST' }));
    const target = new URL(begun.headers.get('location') ?? '', base);
    target.searchParams.set('digest', digest);
    target.host = registry.address;
    const headers = { 'content-type': 'application/octet-stream' };
    await accepted(fetch(target, { method: 'PUT', body: new Uint8Array(content), headers }));
  }
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const body = new Uint8Array(model.manifest);
  await accepted(
    fetch(`${base}/manifests/${tag}`, { method: 'PUT', body, headers: { 'content-type': type } }),
  );
  return model;
}

async function accepted(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`the registry answered ${response.status}: ${text}`);
  return response;
}

/**
 * An address of this machine's loopback that containers reach too, as they come in by their bridges and it is local to the machine. It is
 * private, as registries without TLS are, and no prune takes it, as it takes bridges.
 */
async function sharedAddress(): Promise<string> {
  const address = registryAddress(process.env[variables.slot] ?? '0');
  const { code, stderr } = await runProcess('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo'], {
    env: process.env,
  });
  if (code !== 0) throw new Error(`${address} can't be made an address of this machine: ${stderr}`);
  return address;
}

/** Of one run's registries. */
export function registryAddress(slot: string): string {
  return `10.208.${slot}.1`;
}

function pass(target: string, registry: Registry, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url = '/', headers } = incoming;
  const sent = request(`http://${target}${url}`, { method, headers }, (answer) => {
    const isBlob = method === 'GET' && /\/blobs\/sha256:/.test(url) && (answer.statusCode ?? 500) < 300;
    outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...(isBlob && { location: url }) });
    if (isBlob && registry.pace) answer.pipe(paced(registry.pace)).pipe(outgoing);
    else answer.pipe(outgoing);
    outgoing.on('close', () => answer.destroy());
  });
  sent.on('error', () => outgoing.destroy());
  incoming.pipe(sent);
}

function paced(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000);
    },
  });
}
