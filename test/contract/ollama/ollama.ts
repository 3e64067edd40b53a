import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ollamaApi } from '../../../src/adapters/ollama/api/api.ts';
import type { OllamaRuntime, PullLine } from '../../../src/models/ollama/runtime.ts';
import { describeEngine, docker, freePort, type Outcome, ollamaImages } from '../../setup/engine-test.ts';

/** An Ollama in a container over a directory of this machine; both gone at the end of its `await using` scope. */
export interface RunningOllama extends AsyncDisposable {
  readonly api: OllamaRuntime;
  /** What it has at `/root/.ollama`. */
  readonly directory: string;
  pull(name: string, signal?: AbortSignal): Promise<PullLine[]>;
  /** Sends JSON as it is, past the port. */
  raw(method: string, path: string, body: unknown): Promise<{ status: number; text: string }>;
  exec(...argv: string[]): Promise<Outcome>;
  stop(): Promise<void>;
  /** Listens and answers when it resolves. */
  start(): Promise<void>;
  restart(): Promise<void>;
}

const network = 'ollama-contract';

/** Runs a suite against every Ollama there is: the stand-in, and the real one where a user named it. */
export function describeOllama(title: string, suite: (run: typeof runOllama) => void): void {
  for (const { who, image } of ollamaImages()) {
    describeEngine(`${title}: ${who}`, () => suite(async (options) => runOllama({ image, ...options })));
  }
}

/** `noPrune`: as our service runs it; false: as Ollama is by itself. */
async function runOllama({
  image = ollamaImages()[0]!.image,
  noPrune = true,
  env = {},
}: {
  image?: () => Promise<string>;
  noPrune?: boolean;
  env?: Readonly<Record<string, string>>;
} = {}): Promise<RunningOllama> {
  const reference = await image();
  const directory = await mkdtemp(join(tmpdir(), 'aixcl-ollama-'));
  const port = await freePort();
  // Exists when an earlier one made it.
  await docker(['network', 'create', network]);
  const variables = { OLLAMA_HOST: '0.0.0.0:11434', OLLAMA_NOPRUNE: noPrune ? '1' : '0', ...env };
  const created = await docker([
    ...['create', '--init', '--network', network, '--publish', `127.0.0.1:${port}:11434`],
    ...['--volume', `${directory}:/root/.ollama`],
    ...Object.entries(variables).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    reference,
  ]);
  if (created.code !== 0) throw new Error(created.stderr);
  const id = created.stdout.trim();
  const api = ollamaApi(`http://127.0.0.1:${port}`);
  const running: RunningOllama = {
    api,
    directory,
    async pull(name, signal = new AbortController().signal) {
      const lines: PullLine[] = [];
      for await (const line of api.pull(name, { insecure: true, signal })) lines.push(line);
      return lines;
    },
    async raw(method, path, body) {
      const answer = await fetch(`${api.address}${path}`, {
        method,
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(60_000),
      });
      return { status: answer.status, text: await answer.text() };
    },
    exec: (...argv) => docker(['exec', id, ...argv]),
    async stop() {
      await docker(['stop', '--time', '10', id]);
    },
    async start() {
      const started = await docker(['start', id]);
      if (started.code !== 0) throw new Error(started.stderr);
      const soon = ollamaApi(api.address, { silenceMs: 1000, probeMs: 1000 });
      for (const deadline = Date.now() + 30_000; ; ) {
        const names = await soon.names().catch(() => undefined);
        if (names) return;
        if (Date.now() > deadline) {
          const { stdout, stderr } = await docker(['logs', id]);
          throw new Error(`Ollama did not come up: ${stdout}${stderr}`);
        }
        await sleep(100);
      }
    },
    async restart() {
      await running.stop();
      await running.start();
    },
    async [Symbol.asyncDispose]() {
      await docker(['rm', '--force', id]);
      await rm(directory, { recursive: true, force: true });
    },
  };
  await running.start();
  return running;
}

/** Paths under its `models/`, sorted, without folders. */
export async function filesOf({ directory }: RunningOllama, under: 'blobs' | 'manifests'): Promise<string[]> {
  const root = join(directory, 'models', under);
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Names of blobs' files. */
export function blobNames(...models: readonly { blobs: readonly { digest: string }[] }[]): string[] {
  const digests = models.flatMap(({ blobs }) => blobs.map(({ digest }) => digest));
  return [...new Set(digests)].map((digest) => digest.replace(':', '-')).sort();
}
