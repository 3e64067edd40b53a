import { randomUUID } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { systemCode } from '../../../src/errors.ts';
import { writeSelfTestModel } from '../../../src/models/self-test-model.ts';
import { docker, llamaImage, type Outcome, testLabel } from '../../setup/engine-test.ts';

const services = resolve(import.meta.dirname, '../../../services/llama-server');
/** Owner of the models directory and user of the container. */
const owner = 1000;

/** A models directory of one test with what is in it; gone at the end of its `await using` scope. */
export interface Models extends AsyncDisposable {
  readonly path: string;
  /** Whole models under these names. */
  add(...names: string[]): Promise<void>;
  /** A hand writes a file. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  link(): Promise<string | undefined>;
  activeFile(): Promise<string>;
  /** Keys of `.aixcl/state`; `notice` and `log` hold all of their lines. */
  state(): Promise<Partial<Record<string, string>>>;
  /** Writes a request as the command line does. Answers its id. */
  request(name: string): Promise<string>;
}

export async function makeModels(...names: string[]): Promise<Models> {
  const path = await mkdtemp(join(tmpdir(), 'aixcl-models-'));
  await writeFile(join(path, 'init-models.sh'), '');
  await chown(path, owner, owner);
  const models: Models = {
    path,
    async add(...added) {
      for (const name of added) await writeSelfTestModel(join(path, name), `I am ${name}.`);
    },
    async write(name, content) {
      await writeFile(join(path, name), content);
    },
    async link() {
      try {
        return await readlink(join(path, 'current.gguf'));
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    activeFile: () => readFile(join(path, '.active_model'), 'utf8'),
    async state() {
      const text = await readFile(join(path, '.aixcl/state'), 'utf8').catch(() => '');
      const state: Partial<Record<string, string>> = {};
      for (const line of text.split('\n')) {
        const [, key, value = ''] = /^([a-z_]+): (.*)$/.exec(line) ?? [];
        if (!key) continue;
        const several = key === 'notice' || key === 'log';
        state[key] = several && state[key] !== undefined ? `${state[key]}\n${value}` : value;
      }
      return state;
    },
    async request(name) {
      const id = randomUUID();
      await ownFolder(path);
      const temporary = join(path, '.aixcl', `request.${id}`);
      await writeFile(temporary, `id: ${id}\nname: ${name}\nby: cli\ntime: ${new Date().toISOString()}\n`);
      await rename(temporary, join(path, '.aixcl/request'));
      return id;
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
  await models.add(...names);
  return models;
}

/** `.aixcl` as the command line makes it before the container ever ran. */
export async function ownFolder(models: string): Promise<void> {
  for (const folder of ['.aixcl', '.aixcl/args']) {
    await mkdir(join(models, folder), { recursive: true });
    await chown(join(models, folder), owner, owner);
  }
}

/** A llama-server container as `services/compose.yaml` makes it; removed at the end of its `await using` scope. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  docker(...args: string[]): Promise<Outcome>;
  exec(...argv: string[]): Promise<Outcome>;
  /** The model that `/v1/models` shows; '' while nothing answers. */
  served(): Promise<string>;
  /** Line and exit code of the container's own health check. */
  health(): Promise<{ line: string; code: number }>;
  logs(): Promise<string>;
  /** Ids, on this machine, of the container's llama-server processes. */
  processes(): Promise<number[]>;
  /** Resolves once `/v1/models` shows `model`, by default within 10 s, and the state file says that it is ready. */
  serves(model: string, timeout?: number): Promise<void>;
}

export interface ServerOptions {
  readonly shell?: string;
  /** More `docker run` options. */
  readonly options?: readonly string[];
  /** Mount option of the models directory. */
  readonly mount?: 'rw' | 'ro';
}

export async function startServer(models: Models, options: ServerOptions = {}): Promise<Server> {
  const name = `contract-${randomUUID().slice(0, 8)}`;
  const { shell = 'sh', mount = 'rw' } = options;
  const created = await docker([
    ...['run', '--detach', '--name', name, '--label', testLabel(), '--init', '--network', 'none'],
    ...['--user', `${owner}:${owner}`, '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--entrypoint', shell],
    ...['--volume', `${models.path}:/models:${mount}`],
    ...['--volume', `${services}/entrypoint.sh:/entrypoint.sh:ro`],
    ...['--volume', `${services}/init-models.sh:/models/init-models.sh:ro`],
    ...(options.options ?? []),
    llamaImage(),
    '/entrypoint.sh',
  ]);
  expect(created).toMatchObject({ code: 0 });
  const server: Server = {
    name,
    docker: (command, ...args) => docker([command!, ...args, name]),
    exec: (...argv) => docker(['exec', name, ...argv]),
    async served() {
      const { stdout } = await server.exec('curl', '-s', '-m', '2', 'http://localhost:8080/v1/models');
      return /"id":"([^"]*)"/.exec(stdout)?.[1] ?? '';
    },
    async health() {
      const { stdout, code } = await server.exec('sh', '/entrypoint.sh', 'health');
      return { line: stdout.trimEnd(), code };
    },
    async logs() {
      const { stdout, stderr } = await docker(['logs', name]);
      return stdout + stderr;
    },
    async processes() {
      const { stdout } = await docker(['top', name, '-eo', 'pid,comm']);
      return [...stdout.matchAll(/^\s*(\d+)\s+llama-server/gm)].map(([, pid]) => Number(pid));
    },
    async serves(model, timeout = 10_000) {
      await expect.poll(() => server.served(), { timeout, interval: 150 }).toBe(model);
      // What is served counts once it is recorded, a moment later.
      await expect.poll(async () => (await models.state()).phase ?? 'ready').toBe('ready');
    },
    async [Symbol.asyncDispose]() {
      await docker(['rm', '--force', name]);
    },
  };
  return server;
}

/** A llama-server, in place of `/app/llama-server`, which loads `model` for ever and then ignores SIGTERM. */
export function neverHealthyWith(model: string): string {
  return `#!/bin/sh
case "$*" in
  *${model}*) trap '' TERM; while :; do sleep 1; done ;;
esac
exec /usr/bin/llama-server "$@"
`;
}

/** llama-server, but asked for `model` it says these lines and ends. */
export function endsWith(model: string, lines: readonly string[]): string {
  return `#!/bin/sh
case "$*" in
  *${model}*) printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}; exit 1 ;;
esac
exec /usr/bin/llama-server "$@"
`;
}

/** Resolves with the state once request `id` is settled. */
export async function settled(models: Models, id: string): Promise<Partial<Record<string, string>>> {
  const settledPhases = ['ready', 'failed', 'waiting'];
  await expect
    .poll(
      async () => {
        const { request, phase, result } = await models.state();
        return request === id && result !== 'pending' && settledPhases.includes(phase ?? '');
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(true);
  return models.state();
}

/** Whether anything, a dangling link too, stands at `name`. */
export async function exists(models: Models, name: string): Promise<boolean> {
  return lstat(join(models.path, name)).then(
    () => true,
    () => false,
  );
}
