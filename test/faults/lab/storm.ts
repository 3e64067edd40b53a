/** A stack with models, and the clean-ups of the engine that go over it. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../../src/models/self-test-model.ts';
import { answerOf, untilServed } from '../../e2e/llama-stack.ts';
import {
  type Aixcl,
  aixcl,
  blobFile,
  compose,
  docker,
  llamaImage,
  makeHome,
  manifestFile,
  type OllamaModel,
  ollamaImage,
  type PrivateEngine,
  pageImage,
  resetEngine,
  seedStore,
  type TestHome,
} from '../../setup/engine-test.ts';
import { sha256Of } from './oracle.ts';

/** Where the volume `ollama` keeps its bytes: in a folder of the home, or inside the engine, as one that was there before does. */
export type Place = 'folder' | 'inside';

export interface Stormed extends AsyncDisposable {
  readonly home: TestHome;
  readonly engine: PrivateEngine;
  ok(...args: string[]): Promise<Aixcl>;
  /** A clean-up by hand; whether it fails is its own matter. */
  docker(...args: string[]): Promise<string>;
  /** Plain Compose, in the home; with a project name, anywhere. */
  compose(...args: string[]): Promise<string>;
  /** Every blob, and the GGUF, byte for byte. */
  expectWhole(): Promise<void>;
  /** Brings back what a prune took of the images, starts the stack, and has both runtimes serve their model. */
  expectServes(): Promise<void>;
}

const sentence = 'I am still here.';

/** A stack that was never started, with a model in either runtime's place. */
export async function stormed(engine: PrivateEngine, place: Place): Promise<Stormed> {
  await resetEngine(engine);
  const scratch = await mkdtemp(join(tmpdir(), 'aixcl-storm-'));
  const image = await ollamaImage(engine);
  const page = await pageImage(engine);
  const home = await makeHome({ ollama: image, page });
  const client = (args: readonly string[]) => docker(args, { engine });
  const must = async (...args: string[]) => {
    const { code, stderr } = await client(args);
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
  };
  await mkdir(home.models);
  const gguf = join(home.models, 'model.gguf');
  await writeSelfTestModel(gguf, sentence);
  const ggufHash = await sha256Of(gguf);
  const seeded = place === 'folder' ? home.ollama : join(scratch, 'seed');
  const tea = await seedStore(seeded, 'tea');
  if (place === 'inside') {
    await must('volume', 'create', 'ollama');
    await must('create', '--name', 'seed', '--network', 'none', '--volume', 'ollama:/root/.ollama', image);
    await must('cp', `${seeded}/.`, 'seed:/root/.ollama');
    await must('rm', 'seed');
  }
  const images = join(scratch, 'images.tar');
  await must('save', '--output', images, image, llamaImage(), page);

  const ok = async (...args: string[]) => {
    const outcome = await aixcl(args, { home, env: { DOCKER_HOST: engine.host } });
    expect({ args, code: outcome.code, said: outcome.stderr }).toMatchObject({ args, code: 0 });
    return outcome;
  };
  const expectWhole = async () => {
    expect(await sha256Of(gguf)).toBe(ggufHash);
    if (place === 'folder') return expectStore(home.ollama, tea);
    const { code, stdout } = await client(['volume', 'inspect', '--format', '{{.Mountpoint}}', 'ollama']);
    expect({ volume: 'ollama', there: code === 0 }).toEqual({ volume: 'ollama', there: true });
    await expectStore(stdout.trim(), tea);
  };
  return {
    home,
    engine,
    ok,
    async docker(...args) {
      const { stdout, stderr } = await client(args);
      return stdout + stderr;
    },
    async compose(...args) {
      const cwd = args[0] === '--project-name' ? scratch : home.root;
      const { stdout, stderr } = await compose(args, { cwd, engine, env: home.env });
      return stdout + stderr;
    },
    expectWhole,
    async expectServes() {
      const needed = await Promise.all([image, llamaImage()].map((each) => engine.has(each)));
      if (needed.includes(false)) await must('load', '--input', images);
      // Builds the page, which a prune took as well.
      await ok('stack', 'start');
      const listed = await client(['exec', 'ollama', 'ollama', 'list']);
      expect(listed.stdout).toContain('tea:latest');
      await untilServed(home, 'model.gguf');
      expect(await answerOf(home)).toBe(sentence);
      await ok('models', 'verify');
      await expectWhole();
    },
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Manifest and blobs below Ollama's own folder. */
async function expectStore(folder: string, { manifest, blobs }: OllamaModel): Promise<void> {
  expect(await readFile(manifestFile(folder, 'tea'))).toEqual(manifest);
  for (const { digest } of blobs) expect(`sha256:${await sha256Of(blobFile(folder, digest))}`).toBe(digest);
}

/** What Compose is told to take down: the project of the home it stands in, or one of that name. */
export const downs: readonly (readonly string[])[] = [[], ['--project-name', 'aixcl']];

/**
 * Every clean-up that goes over a stack as it stands, before and after each of these `compose down`. What they remove of containers and images,
 * `between` may bring back.
 */
export async function storm(
  stack: Stormed,
  projects: typeof downs,
  between: () => Promise<void>,
): Promise<void> {
  const { expectWhole } = stack;
  const prune = async () => {
    for (const args of await prunes(stack)) {
      await stack.docker(...args);
      await expectWhole();
    }
  };
  await prune();
  await between();
  for (const project of projects) {
    await stack.compose(...project, 'down', '--volumes', '--remove-orphans', '--timeout', '1');
    await expectWhole();
    await prune();
    await between();
  }
}

async function prunes(stack: Stormed): Promise<string[][]> {
  // Below API 1.42 it takes named volumes by itself, and knows no `--all`.
  const version = await stack.docker('version', '--format', '{{.Server.Version}}');
  const all = version.startsWith('20.') ? [] : ['--all'];
  return [
    ['volume', 'rm', '--force', 'ollama'],
    ['volume', 'prune', '--force', ...all],
    ['system', 'prune', '--all', '--force', '--volumes'],
  ];
}
