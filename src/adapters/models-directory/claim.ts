import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { AixclError, systemCode } from '../../errors.ts';

/**
 * Claims `path` for this process, or throws `busy`. The claim is a name in Linux' abstract socket namespace: the kernel drops it with the
 * process, however that ends, and nothing stale is left on the disk. Elsewhere there is no such thing, and nothing is claimed.
 */
export async function claim(path: string): Promise<AsyncDisposable> {
  if (process.platform !== 'linux') return { async [Symbol.asyncDispose]() {} };
  const name = `\0aixcl-${createHash('sha256').update(path).digest('hex')}`;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: name, exclusive: true }, resolve);
  }).catch((error: unknown) => {
    if (systemCode(error) !== 'EADDRINUSE') throw error;
    throw new AixclError('busy', 'Another aixcl is bringing in the same model', {
      hint: 'Wait for it, then run the command again.',
      cause: error,
    });
  });
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
