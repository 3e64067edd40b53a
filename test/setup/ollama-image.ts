import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from '../../src/adapters/debian/cache.ts';
import { suite } from '../../src/adapters/debian/debootstrap.ts';
import { packRoot } from '../../src/adapters/debian/pack-root.ts';
import type { Report } from '../../src/adapters/debian/run-command.ts';
import { connect } from '../../src/adapters/docker/connect.ts';
import { cacheFolder } from '../../src/home.ts';
import type { PrivateEngine } from './private-engine.ts';
import { runProcess } from './process.ts';

const context = fileURLToPath(new URL('../stand-in/ollama/', import.meta.url));
const repository = 'aixcl-test/ollama-stand-in';
/** A Debian with Node.js, on which the stand-in is built. */
const base = `aixcl-test/node:debian-${suite}`;
/** Bytes on disk while the base is made: packages, tree and tar. */
const spaceNeeded = 900e6;

/** Makes the tar of the base, once a machine. */
export async function prepareOllamaStandIn(report: Report): Promise<string> {
  const tar = join(cacheFolder(), 'test', `node-debian-${suite}-${process.arch}.tar`);
  await cached(tar, spaceNeeded, (scratch) => {
    report('Building a Debian with Node.js for the stand-in of Ollama, about a minute');
    return packRoot(scratch, ['nodejs', 'ca-certificates'], { report });
  });
  return tar;
}

/** Reference of the stand-in's image, which is on `engine` afterwards. A changed stand-in has another. */
export async function ollamaStandIn(engine: PrivateEngine, report: Report = () => {}): Promise<string> {
  const reference = `${repository}:${contentHash(context)}`;
  const client = await connect({ host: engine.host, context: undefined, env: {} });
  if (await client.inspectImage(reference)) return reference;
  if (!(await client.inspectImage(base))) {
    const tar = await prepareOllamaStandIn(report);
    await client.importImage(base, createReadStream(tar), ['ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin']);
  }
  const args = new Map([['BASE', base]]);
  for await (const line of client.buildImage(reference, { context, dockerfile: 'Dockerfile', args }, {})) {
    report(line);
  }
  return reference;
}

/** True for what `ollamaStandIn` needs on an engine, as the stand-in is now. */
export function belongsToStandIn(reference: string): boolean {
  return reference === base || reference === `${repository}:${contentHash(context)}`;
}

/** What `AIXCL_TEST_OLLAMA_IMAGE` may name: an image that the user's own engine has, or a tar that `docker save` wrote. */
export function realOllamaWish(): string | undefined {
  return process.env.AIXCL_TEST_OLLAMA_IMAGE || undefined;
}

/** Reference of the real Ollama's image that the user named, which is on `engine` afterwards; throws when it can't be had. */
export async function realOllama(engine: PrivateEngine): Promise<string> {
  const wish = realOllamaWish() ?? '';
  const isFile = statSync(wish, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile && (await engine.has(wish))) return wish;
  const load = `docker --host "$TO" load`;
  const script = isFile ? `${load} < "$WISH"` : `set -o pipefail; docker save "$WISH" | ${load}`;
  const { code, stdout, stderr } = await runProcess('bash', ['-c', script], {
    env: { ...process.env, WISH: wish, TO: engine.host },
    timeout: 300_000,
  });
  const [, loaded] = /Loaded image(?: ID)?: (\S+)/.exec(stdout) ?? [];
  if (code === 0 && loaded) return loaded;
  throw new Error(`AIXCL_TEST_OLLAMA_IMAGE names ${wish}, which can't be brought in: ${stderr || stdout}`);
}

function contentHash(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}
