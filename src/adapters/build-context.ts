import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { BuildDefinition } from '../stack/definition/types.ts';

/**
 * Files and empty folders under a build context, relative to it; undefined where it is no folder. Each by itself, for dockerode holds only
 * what it is given by name against `.dockerignore`.
 */
export async function contextFiles(context: string): Promise<string[] | undefined> {
  const entries = await readdir(context, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const filled = new Set(entries.map(({ parentPath }) => parentPath));
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isDirectory() && filled.has(path) ? [] : relative(context, path);
  });
}

/** Larger ones, in files and bytes, are not read at every start. */
const most = { files: 200, bytes: 16 << 20 };

/**
 * `sha256:…` of all that an image is built from: files of its context, Dockerfile, arguments and target. Undefined where the context is no folder
 * or a large one.
 */
export async function builtFrom(build: BuildDefinition): Promise<string | undefined> {
  const files = await contextFiles(build.context);
  if (!files || files.length > most.files) return undefined;
  const paths = files.sort().map((file) => join(build.context, file));
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  if (found.reduce((sum, file) => sum + (file?.size ?? 0), 0) > most.bytes) return undefined;
  const contents = await Promise.all(
    paths.map((path, index) => (found[index]?.isFile() ? readFile(path) : Buffer.alloc(0))),
  );
  const settings = [build.dockerfile, build.target ?? '', ...[...build.args].sort().flat()];
  const hash = createHash('sha256').update(JSON.stringify({ settings, files }));
  for (const content of contents) hash.update(`${content.length}\0`).update(content);
  return `sha256:${hash.digest('hex')}`;
}
