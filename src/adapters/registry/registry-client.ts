import { AixclError, reasonOf } from '../../errors.ts';
import { parseManifest } from '../../models/ollama/manifest.ts';
import { type OllamaName, shownName } from '../../models/ollama/name.ts';
import type { LookOptions, Registry, RemoteModel } from '../../models/ollama/registry.ts';
import { hexOf } from '../../vault/digest.ts';
import { fetchFile } from '../download/fetch-file.ts';
import { type Answer, get, Transient } from '../download/request.ts';
import { isPrivateHost } from './private-host.ts';
import { tokenAddress, tokenIn } from './token.ts';

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
/** A manifest is some hundred bytes a layer. */
const longestManifest = 4 * 2 ** 20;
const lookLimitMs = 10_000;

/** Registries by the distribution protocol (`/v2/`), as Ollama speaks it. Remembers for one run which hosts speak plain http, and their tokens. */
export function registries(): Registry {
  const origins = new Map<string, URL>();
  const tokens = new Map<string, string>();

  async function ask(name: OllamaName, path: string, wish: Wish): Promise<Reply> {
    const known = origins.get(name.host);
    const mayBePlain = wish.insecure === true || isPrivateHost(name.host);
    const candidates = known
      ? [known]
      : [new URL(`https://${name.host}/`), ...(mayBePlain ? [new URL(`http://${name.host}/`)] : [])];
    for (const [index, origin] of candidates.entries()) {
      try {
        const reply = await askAt(origin, name, path, wish);
        origins.set(name.host, origin);
        return reply;
      } catch (error) {
        if (!(error instanceof Transient) || index === candidates.length - 1) throw error;
      }
    }
    throw new Error('unreachable');
  }

  async function askAt(origin: URL, name: OllamaName, path: string, wish: Wish): Promise<Reply> {
    const url = new URL(`/v2/${name.namespace}/${name.model}/${path}`, origin);
    const scope = `${origin.href}${name.namespace}/${name.model}`;
    const send = async (): Promise<Reply> => {
      const token = tokens.get(scope);
      const authorization = token === undefined ? undefined : () => `Bearer ${token}`;
      const answer = await get(url, { accept: manifestType }, wish.signal, {
        method: wish.method,
        authorization,
        answers: [401, 403, 404],
      });
      return { ...answer, url, authorization };
    };
    const first = await send();
    if (first.response.status !== 401) return first;
    const realm = tokenAddress(first.response.headers.get('www-authenticate'), origin);
    if (!realm) return first;
    const token = await anonymousToken(realm, wish.signal);
    if (token === undefined) return first;
    await first.response.body?.cancel();
    tokens.set(scope, token);
    return await send();
  }

  return {
    async look(name, options) {
      try {
        const reply = await ask(name, `manifests/${encodeURIComponent(name.tag)}`, limited('GET', options));
        return await manifestIn(reply, name);
      } catch (error) {
        options.signal.throwIfAborted();
        return { kind: 'unreachable', why: reasonOf(error) };
      }
    },
    async blobSize(name, digest, options) {
      const { response } = await ask(name, `blobs/${digest}`, limited('HEAD', options));
      const length = response.headers.get('content-length');
      return response.ok && length !== null ? Number(length) : null;
    },
    async fetchBlob(name, { digest, size }, path, options) {
      const { url, authorization, response } = await ask(name, `blobs/${digest}`, limited('HEAD', options));
      if (!response.ok) {
        throw new AixclError('notFound', `${name.host} has no ${digest} for ${shownName(name)}`, {
          hint: 'aixcl backups list',
        });
      }
      await fetchFile(url, path, { size, sha256: hexOf(digest) }, { ...options, authorization });
    },
  };
}

interface Wish extends LookOptions {
  readonly method: 'GET' | 'HEAD';
}

type Reply = Answer & { readonly url: URL; readonly authorization: (() => string) | undefined };

function limited(method: Wish['method'], { signal, insecure = false }: LookOptions): Wish {
  return { method, insecure, signal: AbortSignal.any([signal, AbortSignal.timeout(lookLimitMs)]) };
}

async function manifestIn({ response, url }: Reply, name: OllamaName): Promise<RemoteModel> {
  if (response.status === 404) {
    await response.body?.cancel();
    return { kind: 'absent', why: `${name.host} has no ${shownName(name)}` };
  }
  if (!response.ok) {
    await response.body?.cancel();
    return { kind: 'unreachable', why: `${name.host} answered ${response.status}` };
  }
  const content = await readSmall(response);
  const manifest = content ? parseManifest(Buffer.from(content).toString('utf8')) : 'it is too long';
  if (!content || typeof manifest === 'string') {
    return { kind: 'unreachable', why: `what ${name.host} answers is no manifest: ${String(manifest)}` };
  }
  return { kind: 'found', manifest, content, insecure: url.protocol === 'http:' };
}

async function readSmall(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).byteLength;
    if (length > longestManifest) return undefined;
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

async function anonymousToken(realm: URL, signal: AbortSignal): Promise<string | undefined> {
  const { response } = await get(realm, { accept: 'application/json' }, signal, { answers: [401, 403, 404] });
  const answer: unknown = await response.json().catch(() => undefined);
  return response.ok ? tokenIn(answer) : undefined;
}
