import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../setup/ports.ts';
import { startProcess } from '../../setup/process.ts';
import type { FaultHome } from './fault-home.ts';

const standIn = fileURLToPath(new URL('../../stand-in/ollama/main.js', import.meta.url));

/** The stand-in for Ollama as a process over the home's store; commands run in this home find it by `OLLAMA_HOST`. */
export interface OllamaProcess extends AsyncDisposable {
  readonly address: string;
  /** Names as `ollama list` shows them. */
  list(): Promise<string[]>;
  /** `ollama rm`, by someone beside aixcl. */
  rm(name: string): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** `prune`: as an Ollama that was not started by aixcl, it deletes at its start what no manifest names. */
export async function startOllama(
  home: FaultHome,
  { prune = false }: { readonly prune?: boolean } = {},
): Promise<OllamaProcess> {
  const models = join(home.ollama, 'models');
  await mkdir(models, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const env = {
    PATH: process.env.PATH,
    HOME: home.scratch,
    OLLAMA_HOST: address,
    OLLAMA_MODELS: models,
    ...(prune ? {} : { OLLAMA_NOPRUNE: '1' }),
  };
  home.env.OLLAMA_HOST = `http://${address}`;
  let running: ReturnType<typeof startProcess> | undefined;
  const service: OllamaProcess = {
    address,
    async list() {
      const answer = await fetch(`http://${address}/api/tags`);
      const { models: all } = (await answer.json()) as { models: { name: string }[] };
      return all.map(({ name }) => name);
    },
    async rm(name) {
      const body = JSON.stringify({ model: name });
      const { ok, status } = await fetch(`http://${address}/api/delete`, { method: 'DELETE', body });
      if (!ok) throw new Error(`ollama rm ${name}: ${status}`);
    },
    async stop() {
      running?.child.kill('SIGTERM');
      await running?.outcome;
      running = undefined;
    },
    async start() {
      running = startProcess(process.execPath, [standIn, 'serve'], { env, timeout: 600_000 });
      running.outcome.catch(() => {});
      for (let tries = 0; tries < 100; tries += 1) {
        if (
          await fetch(`http://${address}/`, { signal: AbortSignal.timeout(1000) }).then(
            ({ ok }) => ok,
            () => false,
          )
        )
          return;
        await delay(50);
      }
      throw new Error('the stand-in for Ollama does not answer');
    },
    [Symbol.asyncDispose]: () => service.stop(),
  };
  await service.start();
  return service;
}
