import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { BuildDefinition } from '../../stack/definition/types.ts';
import type { PullOptions, PullProgress } from '../../stack/engine.ts';
import { builtFrom, contextFiles } from '../build-context.ts';
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

/** Builds an image with the engine's classic builder, which every engine has; yields what the build prints. */
export async function* build(
  docker: Docker,
  tag: string,
  definition: BuildDefinition,
  options: { signal?: AbortSignal },
): AsyncGenerator<string> {
  const [src, from] = await Promise.all([contextFiles(definition.context), builtFrom(definition)]);
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
      labels: { [labels.built]: from ?? 'here' },
      ...(definition.target && { target: definition.target }),
      ...(options.signal && { abortSignal: options.signal }),
    },
  );
  for await (const line of jsonLines<{ stream?: string; error?: string }>(stream as Readable)) {
    if (line.error) throw new AixclError('unexpected', `the build of ${tag} failed: ${line.error}`);
    if (line.stream?.trim()) yield line.stream.trimEnd();
  }
}
