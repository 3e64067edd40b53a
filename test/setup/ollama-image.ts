import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/adapters/debian/run-command.ts';
import { connect } from '../../src/adapters/docker/connect.ts';
import { localLlamaImage } from '../../src/stack/local-image.ts';
import { contentHash } from './content-hash.ts';
import type { PrivateEngine } from './private-engine.ts';
import { runProcess } from './process.ts';

/** Below the clone: the benchmarks run all of this from a bundle elsewhere. */
const context = join(process.cwd(), 'test', 'stand-in', 'ollama');
const repository = 'aixcl-test/ollama-stand-in';

/** Reference of the stand-in's image, which is on `engine` afterwards. A changed stand-in has another. */
export async function ollamaStandIn(engine: PrivateEngine, report: Report = () => {}): Promise<string> {
  const reference = `${repository}:${contentHash(context)}`;
  const client = await connect({ host: engine.host, context: undefined, env: {} });
  if (await client.inspectImage(reference)) return reference;
  const args = new Map([['BASE', localLlamaImage]]);
  for await (const line of client.buildImage(reference, { context, dockerfile: 'Dockerfile', args }, {})) {
    report(line);
  }
  return reference;
}

/** True for the stand-in's image, as the stand-in is now. */
export function isOllamaStandIn(reference: string): boolean {
  return reference === `${repository}:${contentHash(context)}`;
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
