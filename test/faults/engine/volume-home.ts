import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  aixcl,
  docker,
  makeHome,
  ollamaImage,
  resetEngine,
  seedStore,
  type TestHome,
} from '../../setup/engine-test.ts';
import { type Content, ollamaContent } from '../lab/oracle.ts';

const manifest = 'manifests/registry.ollama.ai/library/tea/latest';

/** A home whose volume `ollama` keeps its bytes inside the engine. */
export interface VolumeHome extends TestHome {
  readonly vault: string;
  must(...args: string[]): Promise<void>;
  /** What the volume holds of `tea`. */
  tea(): Promise<Content | undefined>;
  /** Makes the volume, and Ollama over it; empty unless it is to have `tea`, of some `megabytes`. */
  serve(seed: boolean, megabytes?: number): Promise<void>;
  /** Starts Ollama, and waits until it answers. */
  wake(): Promise<void>;
}

export async function volumeHome(): Promise<VolumeHome> {
  await resetEngine();
  const image = await ollamaImage();
  const home = await makeHome({ ollama: image });
  const ok = async (args: readonly string[]) => {
    const { code, stderr } = await docker(args);
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
  };
  const wake = async () => {
    await ok(['start', 'ollama']);
    const address = `http://127.0.0.1:${home.ports.ollama}/`;
    for (let tries = 0; tries < 100; tries += 1) {
      if (
        await fetch(address, { signal: AbortSignal.timeout(1000) }).then(
          ({ ok: up }) => up,
          () => false,
        )
      )
        return;
      await delay(100);
    }
    throw new Error('the stand-in for Ollama does not answer');
  };
  return {
    ...home,
    vault: join(home.root, 'vault'),
    async must(...args) {
      const { code, stdout, stderr } = await aixcl(args, { home });
      if (code !== 0) throw new Error(`aixcl ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    },
    async tea() {
      const copy = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
      try {
        await ok(['cp', 'ollama:/root/.ollama/.', copy]);
        return await ollamaContent(copy, manifest);
      } finally {
        await rm(copy, { recursive: true });
      }
    },
    async serve(seed, megabytes = 24) {
      await ok(['volume', 'create', 'ollama']);
      // The private engine has no network by itself.
      await docker(['network', 'create', 'fault']);
      const port = `127.0.0.1:${home.ports.ollama}:11434`;
      const own = [
        '--name',
        'ollama',
        '--network',
        'fault',
        '--publish',
        port,
        '--volume',
        'ollama:/root/.ollama',
      ];
      await ok(['create', ...own, '--env', 'OLLAMA_NOPRUNE=1', image]);
      if (seed) {
        const made = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
        await seedStore(made, 'tea', { noise: megabytes << 20 });
        await ok(['cp', `${made}/.`, 'ollama:/root/.ollama']);
        await rm(made, { recursive: true });
      }
      await wake();
    },
    wake,
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
