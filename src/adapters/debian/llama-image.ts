import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { cacheFolder } from '../../home.ts';
import { labels } from '../../labels.ts';
import type { Engine } from '../../stack/engine.ts';
import { isLocallyBuilt, localBuild, localLlamaImage } from '../../stack/local-image.ts';
import { cached } from './cache.ts';
import { whyNoPackages } from './host.ts';
import { packRoot } from './pack-root.ts';
import type { Report } from './run-command.ts';

export interface BuildOptions {
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Folder for what is kept between builds. */
  readonly cache?: string;
}

/** Bytes on disk while building: downloaded packages, the tree, the tar. Measured: 700 MB at the peak. */
const spaceNeeded = 1000e6;
const packages = ['llama.cpp-tools', 'nodejs', 'curl', 'ca-certificates'];
const changes = [
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'EXPOSE 8080/tcp',
  'ENTRYPOINT ["/usr/bin/llama-server"]',
  `LABEL ${labels.built}=${localBuild}`,
];

/** Why `buildLocalImage` can't work on this machine; `undefined` when it can. */
export async function whyNotBuildable(): Promise<string | undefined> {
  return whyNoPackages();
}

/**
 * Makes the image `reference` on `engine` and answers its id. The tree is kept as a tar in the cache, so that a second build takes
 * seconds. Throws `notFound` for an image that is not ours, `refused` where Debian's packages can't be had, `noSpace`.
 */
export async function buildLocalImage(
  engine: Pick<Engine, 'importImage'>,
  reference: string,
  { report, signal, cache = cacheFolder() }: BuildOptions,
): Promise<string> {
  if (!isLocallyBuilt(reference)) {
    throw new AixclError(
      'notFound',
      `${reference} is not an image that aixcl builds: it knows ${localLlamaImage}`,
    );
  }
  const tar = join(cache, `${localBuild}-${process.arch}.tar`);
  await cached(tar, spaceNeeded, (scratch) => {
    report(
      `Building llama-server and Node.js from Debian's packages (${packages.join(', ')}), about a minute`,
    );
    return packRoot(scratch, packages, { report, signal });
  });
  signal?.throwIfAborted();
  report(`Importing ${reference}`);
  return engine.importImage(reference, createReadStream(tar, { signal }), changes);
}
