import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { create } from './create.js';
import { ggufInfo } from './gguf.js';
import { inKnownSpelling, parseName, parseReference, shownName } from './names.js';
import { pull } from './pull.js';
import * as store from './store.js';

/** Of the Ollama that it was held against last. */
const version = '0.31.2-stand-in';

/** Listens until SIGTERM or SIGINT. */
export async function serve({ host, port }) {
  await writeKeys();
  await store.renameOldBlobs();
  if (!store.noPrune) await store.prune();
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (!response.headersSent) json(response, error.status ?? 500, { error: error.message });
      else response.end(`${JSON.stringify({ error: error.message })}\n`);
    });
  });
  server.listen(port, host, () =>
    process.stderr.write(`Listening on ${host}:${port} (version ${version})\n`),
  );
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
}

/** Ollama has a private key beside its models, to log in to its registry. This one opens nothing. */
async function writeKeys() {
  const folder = join(homedir(), '.ollama');
  await mkdir(folder, { recursive: true });
  const key = join(folder, 'id_ed25519');
  if (existsSync(key)) return;
  await writeFile(key, 'the private key of a stand-in\n', { mode: 0o600 });
  await writeFile(`${key}.pub`, 'the public key of a stand-in\n');
}

const routes = {
  'GET /': (_, response) => response.end('Ollama is running'),
  'HEAD /': (_, response) => response.end(),
  'GET /api/version': (_, response) => json(response, 200, { version }),
  'GET /api/tags': async (_, response) => json(response, 200, { models: await list() }),
  'GET /api/ps': (_, response) => json(response, 200, { models: [] }),
  'POST /api/show': async (body, response) => json(response, 200, await show(await named(body))),
  'POST /api/pull': async (body, response) => {
    const name = await spelled(nameOf(body));
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    await stream(response, body, pull(name, { insecure: body.insecure === true, signal: abort.signal }));
  },
  'POST /api/create': async (body, response) => {
    const name = await spelled(nameOf(body));
    await stream(
      response,
      body,
      create(name, body, async (text) => spelled(nameOf({ model: text }))),
    );
  },
  'POST /api/copy': async ({ source, destination }, response) => {
    const [from, to] = [source, destination].map((text) => parseName(text ?? ''));
    if (!from || !to) throw failure(400, `${from ? 'destination' : 'source'} is invalid`);
    await store.copyManifest(await spelled(from), await spelled(to)).catch((error) => {
      throw error.code === 'ENOENT' ? failure(404, `model "${source}" not found`) : error;
    });
    response.end();
  },
  'DELETE /api/delete': async (body, response) => {
    const name = await named(body);
    const manifest = await store.readManifest(name);
    await store.removeManifest(name);
    await store.removeUnused(store.digestsOf(manifest));
    response.end();
  },
  'POST /api/generate': async (body, response) => {
    await able('generate', body);
    await stream(response, body, [{ ...said(body), response: sentence }]);
  },
  'POST /api/chat': async (body, response) => {
    await able('chat', body);
    await stream(response, body, [{ ...said(body), message: { role: 'assistant', content: sentence } }]);
  },
};

const sentence = 'This is the stand-in for Ollama: it computes nothing.';

async function answer(request, response) {
  const path = request.url.split('?')[0];
  const blob = /^\/api\/blobs\/([^/]+)$/.exec(path);
  if (blob && (request.method === 'HEAD' || request.method === 'POST'))
    return blobs(request, response, blob[1]);
  const route = routes[`${request.method} ${path}`];
  if (!route) return response.writeHead(404).end('404 page not found');
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '' && !['GET', 'HEAD'].includes(request.method)) throw failure(400, 'missing request body');
  await route(text === '' ? {} : parsed(text), response);
}

async function blobs(request, response, digest) {
  const path = orBad(() => store.blobPath(decodeURIComponent(digest)));
  if (request.method === 'HEAD') return response.writeHead(existsSync(path) ? 200 : 404).end();
  if (existsSync(path)) {
    request.resume();
    return response.end();
  }
  const taken = await store.takeIn(request);
  if (taken.digest !== digest)
    throw failure(400, `digest mismatch, expected "${digest}", got "${taken.digest}"`);
  response.writeHead(201).end();
}

function parsed(text) {
  return orBad(() => JSON.parse(text));
}

function orBad(work) {
  try {
    return work();
  } catch (error) {
    throw failure(400, error.message);
  }
}

function failure(status, message) {
  return Object.assign(new Error(message), { status });
}

function nameOf({ model, name }) {
  const found = parseReference(model || name || '');
  if (!found) throw failure(400, 'invalid model name');
  return found;
}

async function spelled(name) {
  const known = (await store.allManifests()).filter(({ manifest }) => manifest).map((each) => each.name);
  return inKnownSpelling(name, known);
}

/** The name that a request means, which has to be there. */
async function named(body) {
  const name = await spelled(nameOf(body));
  await store.readManifest(name).catch((error) => {
    throw error.code === 'ENOENT' ? failure(404, `model '${body.model || body.name}' not found`) : error;
  });
  return name;
}

/** Models whose config can't be read are left out in silence, as Ollama leaves them out. */
async function list() {
  const models = [];
  for (const { manifest } of await store.allManifests()) {
    const details = manifest && (await detailsOf(manifest).catch(() => undefined));
    if (!details) continue;
    const { name, config, layers, digest, modified } = manifest;
    const size = [...layers, ...(config ? [config] : [])].reduce((sum, layer) => sum + layer.size, 0);
    const shown = shownName(name);
    models.push({ name: shown, model: shown, modified_at: modified.toISOString(), size, digest, details });
  }
  return models.sort((a, b) => b.modified_at.localeCompare(a.modified_at));
}

async function detailsOf({ config, layers }) {
  for (const { mediaType, digest } of layers) {
    if (mediaType.endsWith('.template')) await readFile(store.blobPath(digest));
  }
  const value = config ? JSON.parse(await readFile(store.blobPath(config.digest), 'utf8')) : {};
  return {
    parent_model: '',
    format: value.model_format ?? '',
    family: value.model_family ?? '',
    families: value.model_families ?? null,
    parameter_size: value.model_type ?? '',
    quantization_level: value.file_type ?? '',
  };
}

async function able(work, body) {
  const name = await named(body);
  await weightsInfo(name).catch(() => {
    throw failure(400, `"${body.model || body.name}" does not support ${work}`);
  });
}

async function show(name) {
  const manifest = await store.readManifest(name);
  const textOf = async (kind) => {
    const layers = manifest.layers.filter(
      ({ mediaType }) => mediaType === `application/vnd.ollama.image.${kind}`,
    );
    const texts = await Promise.all(layers.map(({ digest }) => readFile(store.blobPath(digest), 'utf8')));
    return texts.join('\n');
  };
  return {
    license: await textOf('license'),
    template: (await textOf('template')) || '{{ .Prompt }}',
    system: await textOf('system'),
    details: await detailsOf(manifest),
    model_info: await weightsInfo(name).catch((error) => {
      throw error.code === 'ENOENT' ? failure(404, `model '${shownName(name)}' not found`) : error;
    }),
    modified_at: manifest.modified.toISOString(),
  };
}

/** Its header has to be one; beyond that nothing is read, so a blob that is wrong further on goes unnoticed. */
async function weightsInfo(name) {
  const { layers } = await store.readManifest(name);
  const model = layers.find(({ mediaType }) => mediaType === 'application/vnd.ollama.image.model');
  if (!model) return {};
  const info = await ggufInfo(store.blobPath(model.digest));
  delete info['general.name'];
  delete info['tokenizer.chat_template'];
  return info;
}

function said({ model, name }) {
  return { model: model || name, created_at: new Date().toISOString(), done: true, done_reason: 'stop' };
}

/** Lines as they come, or, where the request says so, the last alone. A failure after the first line comes with status 200. */
async function stream(response, { stream: streamed = true }, lines) {
  let last;
  for await (const line of lines) {
    last = line;
    if (!streamed) continue;
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (!response.write(`${JSON.stringify(line)}\n`)) {
      await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
  }
  if (streamed) response.end();
  else json(response, 200, last ?? {});
}

function json(response, status, value) {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(value));
}
