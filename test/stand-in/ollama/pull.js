import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { basename, dirname } from 'node:path';
import { blobPath, digestsOf, hashOf, noPrune, readManifest, removeUnused, writeManifest } from './store.js';

const smallestPart = 100e6;
const largestPart = 1000e6;
const parts = 16;

/** Yields Ollama's lines; the last is `success`. Throws with its words. */
export async function* pull(name, { insecure, signal }) {
  const before = await readManifest(name).then(digestsOf, () => []);
  yield { status: 'pulling manifest' };
  const registry = `${insecure ? 'http' : 'https'}://${name.host}/v2/${name.namespace}/${name.model}`;
  const content = await manifestOf(`${registry}/manifests/${name.tag}`, signal);
  const manifest = JSON.parse(content);
  const layers = [...(manifest.layers ?? []), ...(manifest.config?.digest ? [manifest.config] : [])];
  const fresh = new Set();
  for (const { digest } of layers) {
    const path = blobPath(digest);
    const status = `pulling ${digest.slice(7, 19)}`;
    if (existsSync(path)) {
      // Whatever it holds: that it exists is enough.
      const { size } = await stat(path);
      yield { status, digest, total: size, ...(size > 0 && { completed: size }) };
      continue;
    }
    for await (const { total, completed } of download(path, `${registry}/blobs/${digest}`, signal)) {
      yield { status, digest, total, ...(completed > 0 && { completed }) };
    }
    fresh.add(digest);
  }
  yield { status: 'verifying sha256 digest' };
  for (const digest of fresh) {
    const found = await hashOf(digest);
    if (found === digest) continue;
    await rm(blobPath(digest));
    throw new Error(`digest mismatch, file must be downloaded again: want ${digest}, got ${found}`);
  }
  yield { status: 'writing manifest' };
  await writeManifest(name, content);
  const old = before.filter((digest) => !layers.some((layer) => layer.digest === digest));
  if (!noPrune && old.length > 0) {
    yield { status: 'removing unused layers' };
    await removeUnused(old);
  }
  yield { status: 'success' };
}

async function manifestOf(url, signal) {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const answer = await send('GET', url, { accept }, signal).catch((error) => {
    throw new Error(`pull model manifest: ${error.message}`);
  });
  const body = await bytesOf(answer);
  if (answer.statusCode === 404) throw new Error('pull model manifest: file does not exist');
  if (answer.statusCode !== 200) throw new Error(`pull model manifest: ${answer.statusCode}: ${body}`);
  return body;
}

/** Fills `PATH-partial`, of full size from the start, by parts whose state lies in `PATH-partial-N`; then it gets its name, unverified. */
async function* download(path, url, signal) {
  await mkdir(dirname(path), { recursive: true });
  const plan = await partsOf(path, url, signal);
  const total = plan.reduce((sum, { Size }) => sum + Size, 0);
  const file = await open(`${path}-partial`, existsSync(`${path}-partial`) ? 'r+' : 'w+', 0o644);
  try {
    await file.truncate(total);
    const source = await directUrl(url, signal);
    for (const part of plan) {
      if (part.Completed === part.Size) continue;
      const from = part.Offset + part.Completed;
      const range = `bytes=${from}-${part.Offset + part.Size - 1}`;
      try {
        for await (const chunk of await send('GET', source, { range }, signal)) {
          await file.write(chunk, 0, chunk.length, part.Offset + part.Completed);
          part.Completed += chunk.length;
          yield { total, completed: plan.reduce((sum, { Completed }) => sum + Completed, 0) };
        }
      } finally {
        await writePart(path, part);
      }
      if (part.Completed !== part.Size) throw new Error('max retries exceeded: unexpected EOF');
    }
  } finally {
    await file.close();
  }
  for (const { N } of plan) await rm(`${path}-partial-${N}`);
  await rename(`${path}-partial`, path);
}

async function partsOf(path, url, signal) {
  const begun = [];
  const prefix = `${basename(path)}-partial-`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix)) begun.push(JSON.parse(await readFile(`${dirname(path)}/${name}`, 'utf8')));
  }
  if (begun.length > 0) return begun.sort((a, b) => a.N - b.N);
  const head = await send('HEAD', url, {}, signal);
  head.resume();
  if (head.statusCode === 404) throw new Error('file does not exist');
  const total = Number(head.headers['content-length'] ?? 0);
  const size = Math.min(largestPart, Math.max(smallestPart, Math.floor(total / parts)));
  const plan = [];
  for (let offset = 0; offset < total; offset += size) {
    plan.push({ N: plan.length, Offset: offset, Size: Math.min(size, total - offset), Completed: 0 });
  }
  for (const part of plan) await writePart(path, part);
  return plan;
}

async function writePart(path, part) {
  await writeFile(`${path}-partial-${part.N}`, `${JSON.stringify(part)}\n`);
}

/** Ollama reads parts from where the registry leads it, and takes an answer that leads nowhere for an error. */
async function directUrl(url, signal) {
  const answer = await send('GET', url, {}, signal);
  answer.destroy();
  const { location } = answer.headers;
  if (!location) throw new Error('http: no Location header in response');
  return new URL(location, url).href;
}

async function send(method, url, headers, signal) {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const sent = request(url, { method, headers: { 'user-agent': 'ollama-stand-in', ...headers }, signal });
    sent.on('response', resolve);
    sent.on('error', (error) => reject(new Error(`${method} "${url}": ${error.message}`)));
    sent.end();
  });
}

async function bytesOf(answer) {
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks);
}
