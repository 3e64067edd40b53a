/**
 * What is really there, read without any code of the product's: a snapshot counts as saved when an OCI index leads to its manifest, and
 * that to files whose bytes hash to what it says.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** sha256 by path. */
export type Content = Readonly<Record<string, string>>;

export interface SavedSnapshot {
  readonly id: string;
  readonly model: string;
  readonly content: Content;
  /** What is wrong with it; empty when each byte is right. */
  readonly wrong: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations: Record<string, string>;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** All snapshots of a vault; none of one that is not there. Throws for an index that can't be read. */
export async function savedIn(vault: string): Promise<SavedSnapshot[]> {
  if (!existsSync(join(vault, 'index.json'))) return [];
  const { manifests } = JSON.parse(await readFile(join(vault, 'index.json'), 'utf8')) as {
    manifests: Descriptor[];
  };
  const known = new Map<string, string | undefined>();
  const problemOf = async ({ digest, size }: Pick<Descriptor, 'digest' | 'size'>) => {
    if (!known.has(digest)) known.set(digest, await blobProblem(vault, digest, size));
    return known.get(digest);
  };
  return Promise.all(
    manifests.map(async (descriptor) => {
      const { annotations } = descriptor;
      const plain = { id: annotations['io.aixcl.id']!, model: annotations['io.aixcl.model']!, annotations };
      const wrong = [await problemOf(descriptor)];
      if (wrong[0]) return { ...plain, content: {}, wrong: [wrong[0]] };
      const { config, layers } = JSON.parse(await readFile(blobOf(vault, descriptor.digest), 'utf8')) as {
        config: Descriptor;
        layers: Descriptor[];
      };
      wrong.push(await problemOf(config));
      for (const layer of layers) wrong.push(await problemOf(layer));
      const content = Object.fromEntries(
        layers.map((layer) => [layer.annotations['org.opencontainers.image.title']!, hexOf(layer.digest)]),
      );
      return { ...plain, content, wrong: wrong.filter((each) => each !== undefined) };
    }),
  );
}

async function blobProblem(vault: string, digest: string, size: number): Promise<string | undefined> {
  const path = blobOf(vault, digest);
  const found = await stat(path).catch(() => undefined);
  if (!found) return `${digest} is missing`;
  if (found.size !== size) return `${digest} has ${found.size} bytes in place of ${size}`;
  return (await sha256Of(path)) === hexOf(digest) ? undefined : `${digest} holds other bytes`;
}

export function blobOf(vault: string, digest: string): string {
  return join(vault, 'blobs', 'sha256', hexOf(digest));
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256[:-]/, '');
}

/** Files below a folder, or the file itself; undefined where nothing is. */
export async function contentOf(path: string): Promise<Content | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  if (found.isFile()) return { [basename(path)]: await sha256Of(path) };
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const pairs = await Promise.all(
    files.map(async (file) => [relative(path, file), await sha256Of(file)] as const),
  );
  return Object.fromEntries(pairs.sort());
}

/** A model in Ollama's store, by what its manifest names: file names below `models/`. Undefined without a manifest. */
export async function ollamaContent(ollama: string, manifest: string): Promise<Content | undefined> {
  const models = join(ollama, 'models');
  const text = await readFile(join(models, manifest), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { config, layers } = JSON.parse(text) as { config: Descriptor; layers: Descriptor[] };
  const content: Record<string, string> = { [manifest]: createHash('sha256').update(text).digest('hex') };
  for (const { digest } of [config, ...layers]) {
    const name = `blobs/${digest.replace(':', '-')}`;
    content[name] = existsSync(join(models, name)) ? await sha256Of(join(models, name)) : 'missing';
  }
  return content;
}

/** True when a snapshot of the vault has this content, each byte of it right. */
export function isSaved(saved: readonly SavedSnapshot[], content: Content): boolean {
  const wanted = JSON.stringify(Object.entries(content).sort());
  return saved.some(
    (each) => each.wrong.length === 0 && JSON.stringify(Object.entries(each.content).sort()) === wanted,
  );
}
