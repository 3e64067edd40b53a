/** The stack's own Ollama with data in it, for what interrupts the recreate of its container. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { ollamaApi } from '../../../src/adapters/ollama/api/api.ts';
import {
  type Aixcl,
  aixcl,
  blobFile,
  compose,
  docker,
  makeHome,
  type OllamaModel,
  ollamaImage,
  type PrivateEngine,
  resetEngine,
  seedStore,
  type TestHome,
  testEngine,
} from '../../setup/engine-test.ts';
import { sha256Of } from './oracle.ts';

export interface Stack extends TestHome {
  readonly engine: PrivateEngine;
  readonly tea: OllamaModel;
  /** Container id and the anonymous volume at /scratch, as they were before anything happened. */
  readonly before: Look;
  run(...args: string[]): Promise<Aixcl>;
  docker(...args: string[]): Promise<string>;
  /** Gives the service another environment than its container has. */
  change(): Promise<void>;
}

export interface Look {
  readonly id: string;
  readonly scratch: string | undefined;
  readonly volume: string | undefined;
  readonly mark: string | undefined;
}

export interface Wish {
  readonly engine?: PrivateEngine;
  /** Absent: aixcl. */
  readonly maker?: 'aixcl' | 'compose';
  /** It ends only when it is killed, after two seconds. */
  readonly isSlow?: boolean;
}

/** The stack's own Ollama, running, with a model in its store and a file in an anonymous volume. */
export async function stack({
  engine = testEngine(),
  maker = 'aixcl',
  isSlow = false,
}: Wish = {}): Promise<Stack> {
  await resetEngine(engine);
  const home = await makeHome({ ollama: await ollamaImage(engine) });
  const env = { DOCKER_HOST: engine.host };
  const run = (...args: string[]) => aixcl(args, { home, env });
  const tool = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(args, { engine });
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    return stdout.trim();
  };
  const define = (mark: string) =>
    writeFile(
      join(home.root, 'compose.override.yaml'),
      stringify({
        services: {
          ollama: {
            environment: { MARK: mark },
            volumes: ['/scratch'],
            ...(isSlow && { stop_signal: 'SIGWINCH', stop_grace_period: '2s' }),
          },
        },
      }),
    );
  await define('one');
  const tea = await seedStore(home.ollama, 'tea');
  expect((await run('service', 'start', 'ollama')).stderr).toContain('healthy');
  if (maker === 'compose') {
    const { code, stderr } = await compose(['up', '-d', 'ollama'], {
      engine,
      cwd: home.root,
      env: { ...home.env, HOME: home.root },
    });
    expect(code, stderr).toBe(0);
  }
  await tool('exec', 'ollama', 'sh', '-c', 'echo kept > /scratch/mine');
  const stacked = { ...home, engine, tea, run, docker: tool, change: () => define('two') };
  return {
    ...stacked,
    before: await look(stacked, 'ollama'),
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

export async function look({ engine }: { readonly engine: PrivateEngine }, name: string): Promise<Look> {
  const { Id, Mounts, Config } = await engine.api.getContainer(name).inspect();
  const at = (path: string) => Mounts.find(({ Destination }) => Destination === path)?.Name;
  const mark = Config.Env.find((line) => line.startsWith('MARK='))?.slice('MARK='.length);
  return { id: Id, scratch: at('/scratch'), volume: at('/root/.ollama'), mark };
}

/** `name state` of every container. */
export async function containers({ engine }: { readonly engine: PrivateEngine }): Promise<string[]> {
  const all = await engine.api.listContainers({ all: true });
  return all.map(({ Names, State }) => `${Names[0]?.slice(1)} ${State}`).toSorted();
}

export async function condition({ run }: Stack): Promise<unknown> {
  const { json } = await run('service', 'status', 'ollama', '--format', 'json');
  const [status] = json as unknown as { readonly services: readonly { readonly condition: unknown }[] }[];
  return status?.services[0]?.condition;
}

/** One container, running under its own name, made from the definition as it is now, over the data that it had. */
export async function expectMended(given: Stack): Promise<void> {
  expect(await containers(given)).toEqual(['ollama running']);
  const { scratch, volume } = given.before;
  expect(await look(given, 'ollama')).toMatchObject({ scratch, volume, mark: 'two' });
  expect(await given.docker('exec', 'ollama', 'cat', '/scratch/mine')).toBe('kept');
  for (const { digest } of given.tea.blobs) {
    expect(`sha256:${await sha256Of(blobFile(given.ollama, digest))}`).toBe(digest);
  }
  expect(await ollamaApi(`http://127.0.0.1:${given.ports.ollama}`).names()).toEqual(['tea:latest']);
  expect(await condition(given)).toBeNull();
  const again = await given.run('service', 'start', 'ollama', '--format', 'json');
  expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
}

/** By whose name the recreate is told, whatever else is said of it. */
export const told = /[0-9a-f]{12}_ollama.*interrupted recreate|interrupted recreate.*[0-9a-f]{12}_ollama/;
