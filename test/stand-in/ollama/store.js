/** Ollama's models on the disk. Nothing here is synced, manifests are overwritten in place, and a blob that exists is taken for right. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { nameFromPath, pathOf } from './names.js';

export const models = process.env.OLLAMA_MODELS || join(homedir(), '.ollama', 'models');
const blobs = join(models, 'blobs');
const manifests = join(models, 'manifests');
const pruneGraceMs = 60 * 60 * 1000;

export const noPrune = ['1', 'true'].includes((process.env.OLLAMA_NOPRUNE ?? '').toLowerCase());

/** Throws for what is no digest. */
export function blobPath(digest) {
  if (!/^sha256[:-][0-9a-fA-F]{64}$/.test(digest)) throw new Error('invalid digest format');
  return join(blobs, digest.replace(':', '-'));
}

export async function readManifest(name) {
  const file = join(manifests, pathOf(name));
  const bytes = await readFile(file);
  const { mtime } = await stat(file);
  const { config, layers } = decoded(bytes.toString('utf8'));
  return { name, config, layers, modified: mtime, digest: createHash('sha256').update(bytes).digest('hex') };
}

/** As Go's decoder reads it: what follows the first value is not looked at, and a value of another type is an error. */
function decoded(text) {
  const value = JSON.parse(firstValue(text));
  const isText = (each) => (each ?? '') === String(each ?? '');
  const isWhole = (each) => Number.isInteger(each ?? 0);
  const config = value.config ?? {};
  const layers = value.layers ?? [];
  const fits =
    !Array.isArray(value) &&
    isWhole(value.schemaVersion) &&
    isText(value.mediaType) &&
    !/"(size|schemaVersion)":-?\d+[.eE]/.test(text) &&
    [config, ...layers].every(
      ({ mediaType, digest, size, from, name }) =>
        isWhole(size) && [mediaType, digest, from, name].every(isText),
    );
  if (!fits) throw new Error('json: cannot unmarshal into a manifest');
  return { config: config.digest ? config : undefined, layers };
}

function firstValue(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    const [, end] = /after JSON at position (\d+)/.exec(error.message) ?? [];
    if (end) return text.slice(0, Number(end));
  }
  return text;
}

export function digestsOf({ config, layers }) {
  return [...layers, ...(config ? [config] : [])].map(({ digest }) => digest).filter(Boolean);
}

/** Every name on the disk with its manifest, or without when that can't be read. */
export async function allManifests() {
  await mkdir(manifests, { recursive: true });
  const found = [];
  for (const entry of await readdir(manifests, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name).slice(manifests.length + 1);
    if (path.split('/').length !== 4) continue;
    const name = nameFromPath(path);
    const manifest = name && (await readManifest(name).catch(() => undefined));
    found.push({ path, name, manifest });
  }
  return found;
}

/** In place: cut off in the middle, what is left is half a manifest. */
export async function writeManifest(name, content) {
  const file = join(manifests, pathOf(name));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

export async function copyManifest(from, to) {
  await writeManifest(to, await readFile(join(manifests, pathOf(from))));
}

export async function removeManifest(name) {
  await rm(join(manifests, pathOf(name)));
  await removeEmpty(manifests);
}

/** Those of `digests` that no readable manifest names. */
export async function removeUnused(digests) {
  const used = new Set(
    (await allManifests()).flatMap(({ manifest }) => (manifest ? digestsOf(manifest) : [])),
  );
  for (const digest of digests) if (!used.has(digest)) await rm(blobPath(digest), { force: true });
}

/** What every start does first: earlier versions had a colon in the names of blobs. */
export async function renameOldBlobs() {
  await mkdir(blobs, { recursive: true });
  for (const name of await readdir(blobs)) {
    if (name.startsWith('sha256:')) await rename(join(blobs, name), join(blobs, name.replace(':', '-')));
  }
}

/** What every start does without OLLAMA_NOPRUNE: blobs that no manifest names go, unless they are young; so does what is no blob by its name. */
export async function prune() {
  const all = await allManifests();
  if (all.some(({ manifest }) => !manifest)) {
    process.stderr.write('corrupt manifests detected, skipping prune operation\n');
    return;
  }
  const unused = [];
  for (const entry of await readdir(blobs, { withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(blobs, entry.name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < pruneGraceMs) continue;
    const digest = entry.name.replaceAll('-', ':');
    if (/^sha256:[0-9a-fA-F]{64}$/.test(digest)) unused.push(digest);
    else await rm(path);
  }
  await removeUnused(unused);
  await removeEmpty(manifests);
}

async function removeEmpty(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  }
  await rmdir(folder).catch(() => {});
}

/** Takes bytes in under the name of what they hash to; existing ones stay. `source`: a stream, or bytes. */
export async function takeIn(source) {
  await mkdir(blobs, { recursive: true });
  const temporary = join(blobs, `sha256-${randomBytes(5).readUIntBE(0, 5)}`);
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk, _, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      Buffer.isBuffer(source) ? [source] : source,
      meter,
      createWriteStream(temporary, { mode: 0o600 }),
    );
    const digest = `sha256:${hash.digest('hex')}`;
    const existed = existsSync(blobPath(digest));
    if (!existed) {
      await rename(temporary, blobPath(digest));
      await chmod(blobPath(digest), 0o644);
    }
    await touch(digest);
    return { digest, size, status: `${existed ? 'using existing' : 'creating new'} layer ${digest}` };
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function touch(digest) {
  const now = new Date();
  await utimes(blobPath(digest), now, now);
}

export async function hashOf(digest) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(blobPath(digest))) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
