import { join } from 'node:path';
import { connect } from '../../src/adapters/docker/connect.ts';
import { localLlamaImage } from '../../src/stack/local-image.ts';
import { contentHash } from './content-hash.ts';
import type { PrivateEngine } from './private-engine.ts';

/** Below the clone: the benchmarks run all of this from a bundle elsewhere. */
const context = join(process.cwd(), 'services', 'upload-ui');
const repository = 'aixcl-test/upload-ui';

/** Reference of the upload page's image, built as the stack builds it; it is on `engine` afterwards. A changed page has another. */
export async function buildPage(engine: PrivateEngine): Promise<string> {
  const reference = `${repository}:${contentHash(context)}`;
  const args = new Map([['NODE_IMAGE', localLlamaImage]]);
  const client = await connect({ host: engine.host, context: undefined, env: {} });
  if (await client.inspectImage(reference)) return reference;
  for await (const _line of client.buildImage(reference, { context, dockerfile: 'Dockerfile', args }, {}));
  return reference;
}

/** True for the page's image, as the page is now. */
export function isPageImage(reference: string): boolean {
  return reference === `${repository}:${contentHash(context)}`;
}
