import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AixclError } from '../../errors.ts';
import type { BuildDefinition } from '../../stack/definition/types.ts';
import type { PullOptions, PullProgress } from '../../stack/engine.ts';
import { registryLogin } from './registry-login.ts';
import { jsonLines } from './streams.ts';

interface PullLine {
  status?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
}

/** Pulls an image. The engine answers 200 and may state a failure later, in a line of its stream. */
export async function* pull(
  docker: Docker,
  reference: string,
  options: PullOptions,
): AsyncGenerator<PullProgress> {
  const login = await registryLogin(reference, process.env);
  const stream = await docker.pull(reference, {
    ...(login && { authconfig: login }),
    ...(options.platform && { platform: options.platform }),
    ...(options.signal && { abortSignal: options.signal }),
  });
  for await (const line of jsonLines<PullLine>(stream as Readable)) {
    if (line.error)
      throw new AixclError('unexpected', `the engine could not pull ${reference}: ${line.error}`);
    yield {
      // The first line's id is the tag: `Pulling from library/x`, `1`.
      ...(line.id && !line.status?.startsWith('Pulling from ') && { layer: line.id }),
      text: line.status ?? '',
      ...(line.progressDetail?.current !== undefined && { done: line.progressDetail.current }),
      ...(line.progressDetail?.total !== undefined && { total: line.progressDetail.total }),
    };
  }
}

/**
 * Files and empty folders under a build context, relative to it; undefined where it is no folder. Each by itself, for dockerode holds only
 * what it is given by name against `.dockerignore`.
 */
async function contextFiles(context: string): Promise<string[] | undefined> {
  const entries = await readdir(context, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!entries) return undefined;
  const filled = new Set(entries.map(({ parentPath }) => parentPath));
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isDirectory() && filled.has(path) ? [] : relative(context, path);
  });
}

/** Builds an image with the engine's classic builder, which every engine has; yields what the build prints. */
export async function* build(
  docker: Docker,
  tag: string,
  definition: BuildDefinition,
  options: { signal?: AbortSignal },
): AsyncGenerator<string> {
  const src = await contextFiles(definition.context);
  if (!src) {
    throw new AixclError('usage', `the build context ${definition.context} of ${tag} is not there`, {
      hint: `Mend build.context in the definition.`,
    });
  }
  const stream = await docker.buildImage(
    { context: definition.context, src },
    {
      t: tag,
      dockerfile: definition.dockerfile,
      buildargs: Object.fromEntries(definition.args),
      ...(definition.target && { target: definition.target }),
      ...(options.signal && { abortSignal: options.signal }),
    },
  );
  for await (const line of jsonLines<{ stream?: string; error?: string }>(stream as Readable)) {
    if (line.error) throw new AixclError('unexpected', `the build of ${tag} failed: ${line.error}`);
    if (line.stream?.trim()) yield line.stream.trimEnd();
  }
}
