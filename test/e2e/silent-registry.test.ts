import { createServer } from 'node:net';
import { expect } from 'vitest';
import { aixcl, describeEngine, engineTest, freePort, makeHome, resetEngine } from '../setup/engine-test.ts';

/** Takes every connection and says nothing. */
async function silentServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => void socket.on('error', () => {}).resume());
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

describeEngine('quickstart, where a registry takes the connection and says nothing', () => {
  engineTest('leaves its services out, and a second run takes seconds', async () => {
    await resetEngine();
    await using registry = await silentServer();
    await using home = await makeHome();
    const env = {
      OLLAMA_IMAGE: `127.0.0.1:${registry.port}/ollama:1`,
      OPEN_WEBUI_IMAGE: `127.0.0.1:${registry.port}/open-webui:1`,
      COMPOSE_PROFILES: 'webui',
    };
    const quickstart = async (): Promise<{ ms: number; leftOut: unknown }> => {
      const began = performance.now();
      const { code, json, stderr } = await aixcl(['quickstart', '--yes', '--format', 'json'], { home, env });
      expect(code, stderr).toBe(0);
      return { ms: performance.now() - began, leftOut: json.at(-1)?.leftOut };
    };
    const silent = (seconds: number) =>
      Object.entries({ ollama: env.OLLAMA_IMAGE, 'open-webui': env.OPEN_WEBUI_IMAGE }).map(
        ([service, image]) => ({
          service,
          image,
          reason: `no image registry answered for ${image} within ${seconds} s`,
        }),
      );
    expect((await quickstart()).leftOut).toEqual(silent(10));
    const second = await quickstart();
    expect(second.leftOut).toEqual(silent(3));
    expect(second.ms).toBeLessThan(20_000);
  });
});
