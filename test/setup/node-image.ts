import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../../src/adapters/debian/cache.ts';
import { suite } from '../../src/adapters/debian/debootstrap.ts';
import { packRoot } from '../../src/adapters/debian/pack-root.ts';
import type { Report } from '../../src/adapters/debian/run-command.ts';
import { connect } from '../../src/adapters/docker/connect.ts';
import { cacheFolder } from '../../src/home.ts';
import type { PrivateEngine } from './private-engine.ts';

/** A Debian with Node.js, on which the stand-in for Ollama and the upload page are built. */
export const nodeBase = `aixcl-test/node:debian-${suite}`;
/** Bytes on disk while it is made: packages, tree and tar. */
const spaceNeeded = 900e6;

/** Makes its tar, once a machine. */
export async function prepareNodeImage(report: Report): Promise<string> {
  const tar = join(cacheFolder(), 'test', `node-debian-${suite}-${process.arch}.tar`);
  await cached(tar, spaceNeeded, (scratch) => {
    report('Building a Debian with Node.js for what tests build on it, about a minute');
    return packRoot(scratch, ['nodejs', 'ca-certificates'], { report });
  });
  return tar;
}

/** Its reference; it is on `engine` afterwards. */
export async function nodeImage(engine: PrivateEngine, report: Report = () => {}): Promise<string> {
  const client = await connect({ host: engine.host, context: undefined, env: {} });
  if (await client.inspectImage(nodeBase)) return nodeBase;
  const tar = await prepareNodeImage(report);
  await client.importImage(nodeBase, createReadStream(tar), ['ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin']);
  return nodeBase;
}

/** Twelve hex digits that change with any file below `folder`. */
export function contentHash(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}
