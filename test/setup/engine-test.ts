/** What engine and end-to-end tests import: their engine, the command line as a process, and ways to skip. */
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { describe, test } from 'vitest';
import { currentEngine, privateEngine } from './engines.ts';
import { ollamaStandIn, realOllama, realOllamaWish } from './ollama-image.ts';
import { buildPage } from './page-image.ts';
import type { PrivateEngine } from './private-engine.ts';
import { type Outcome, runProcess, startProcess } from './process.ts';
import { variables } from './variables.ts';

export { type Aixcl, aixcl, spawnAixcl } from './aixcl.ts';
export { type HomeWish, makeHome, type TestHome, withoutPage } from './home.ts';
export {
  blobFile,
  type ModelWish,
  manifestFile,
  type OllamaModel,
  ollamaModel,
  seedStore,
} from './ollama-model.ts';
export { pushModel, type Registry, startRegistry } from './ollama-registry.ts';
export { freePort, freePorts } from './ports.ts';
export { type Outcome, runProcess } from './process.ts';
export type { PrivateEngine };

const obstacle = process.env[variables.obstacle];

/** `describe`, skipped with the reason where engine tests can't run. */
export function describeEngine(name: string, body: () => void): void {
  describe.skipIf(obstacle)(obstacle ? `${name} (skipped: ${obstacle})` : name, body);
}

/** `test`, likewise. */
export function engineTest(name: string, body: () => Promise<void>, timeoutMs?: number): void {
  test.skipIf(obstacle)(obstacle ? `${name} (skipped: ${obstacle})` : name, body, timeoutMs);
}

/** The private engine: 20.10 on Debian 12. Running when a test file begins; a test that kills it starts it again. */
export function testEngine(): PrivateEngine {
  return privateEngine(slot());
}

/** A current engine, started by the first test that asks; stopped with the run. */
export async function currentTestEngine(): Promise<PrivateEngine> {
  const engine = currentEngine(slot(), given(variables.debianRoot));
  await engine.start();
  await engine.reset();
  return engine;
}

/** Reference of an image with llama-server (`/usr/bin`), curl, `sh` and `sleep`. */
export function llamaImage(): string {
  return given(variables.llamaImage);
}

/**
 * Reference of an image that stands in for Ollama's: its API over its layout on the disk, in `services/compose.yaml` as the real one would be
 * (`makeHome({ ollama: await ollamaImage() })`). On the engine afterwards; the first time takes seconds.
 */
export function ollamaImage(engine: PrivateEngine = testEngine()): Promise<string> {
  return ollamaStandIn(engine);
}

/** The stand-in and, where `AIXCL_TEST_OLLAMA_IMAGE` names one, the real Ollama: for suites that hold against both. */
export function ollamaImages(): readonly { readonly who: string; image(): Promise<string> }[] {
  const both = [{ who: 'stand-in', image: () => ollamaStandIn(testEngine()) }];
  return realOllamaWish() ? [...both, { who: 'real Ollama', image: () => realOllama(testEngine()) }] : both;
}

/**
 * Reference of the upload page's image, built from `services/upload-ui` on the image of llama-server, which has Node.js (`makeHome({ page: await pageImage() })`). On the
 * engine afterwards; the first time takes seconds.
 */
export function pageImage(engine: PrivateEngine = testEngine()): Promise<string> {
  return buildPage(engine);
}

/** API of the private engine, for what the product's port does not do. */
export function dockerApi(engine: PrivateEngine = testEngine()): Dockerode {
  return engine.api;
}

/** Every container, volume and network of the private engine goes; the engine runs and has the llama-server image afterwards. */
export async function resetEngine(engine: PrivateEngine = testEngine()): Promise<void> {
  await engine.start();
  await engine.reset();
}

export interface ToolOptions {
  readonly cwd?: string;
  /** Over this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly engine?: PrivateEngine;
}

/** The `docker` client, on the private engine. */
export function docker(args: readonly string[], options: ToolOptions = {}): Promise<Outcome> {
  return onEngine('docker', args, options);
}

/** Docker Compose 2, on the private engine. */
export function compose(args: readonly string[], options: ToolOptions = {}): Promise<Outcome> {
  return onEngine(given(variables.compose), args, options);
}

/** The same, for a test that kills it; at `host`, where the test stands between it and its engine. */
export function spawnCompose(args: readonly string[], host: string, options: ToolOptions = {}) {
  const { cwd, env, engine = testEngine() } = options;
  return startProcess(given(variables.compose), args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...clientEnvironment(engine), DOCKER_HOST: host, ...env },
  });
}

/** `key=value` for what a test leaves beside the engine. */
export function testLabel(): string {
  return given(variables.label);
}

function onEngine(program: string, args: readonly string[], options: ToolOptions): Promise<Outcome> {
  const { cwd, env, engine = testEngine() } = options;
  return runProcess(program, args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...clientEnvironment(engine), ...env },
  });
}

function clientEnvironment(engine: PrivateEngine): NodeJS.ProcessEnv {
  // The user's own client settings (contexts, credentials) stay out of it.
  return { ...process.env, DOCKER_CONFIG: join(engine.directory, 'client'), DOCKER_HOST: engine.host };
}

function slot(): number {
  return Number(given(variables.slot));
}

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this test must run in the "engine" project`);
  return value;
}
