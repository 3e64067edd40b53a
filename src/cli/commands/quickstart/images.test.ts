import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Engine, PullOptions } from '../../../stack/engine.ts';
import { withLeftOut } from '../../../stack/home-overlay.ts';
import { TestEngine } from '../../../stack/test-engine.ts';
import { service } from '../../../stack/test-stack.ts';
import type { Context } from '../../context.ts';
import { ensureImages } from './images.ts';

const debian = vi.hoisted(() => ({
  obstacle: 'this is a test' as string | undefined,
  made: [] as string[],
}));
vi.mock('../../../adapters/debian/llama-image.ts', () => ({
  whyNotBuildable: async () => debian.obstacle,
  buildLocalImage: async (_engine: unknown, reference: string) => void debian.made.push(reference),
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  Object.assign(debian, { obstacle: 'this is a test', made: [] });
});

const leftOutProfiles = withLeftOut({}, ['x'], []).services?.x?.profiles ?? [];
const task = { update() {}, succeed() {}, fail() {} };

function contextOn(engine: Engine): Context {
  return {
    engine: async () => engine,
    signal: new AbortController().signal,
    progress: { start: () => task },
    out: { note() {} },
  } as unknown as Context;
}

/** A registry that takes the connection and then says nothing. */
async function* silent(_reference: string, { signal }: PullOptions): AsyncGenerator<never> {
  await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

function pullingBy(pullImage: Engine['pullImage']): Engine {
  return Object.assign(new TestEngine({ images: ['here:1'] }), { pullImage });
}

test('pulls go side by side: a registry that says nothing is waited for once, for 10 s', async () => {
  const engine = pullingBy(silent);
  const began = Date.now();
  const images = ensureImages(contextOn(engine), [service('ollama'), service('web'), service('more')]);
  await vi.runAllTimersAsync();
  expect(Date.now() - began).toBe(10_000);
  expect((await images).missing.map(({ service: name }) => name)).toEqual(['ollama', 'web', 'more']);
  expect((await images).missing[0]?.reason).toBe('no image registry answered for ollama:1 within 10 s');
});

test('for a service that was left out before it is waited for 3 s', async () => {
  const engine = pullingBy(silent);
  const began = Date.now();
  const images = ensureImages(contextOn(engine), [service('ollama', { profiles: leftOutProfiles })]);
  await vi.runAllTimersAsync();
  expect(Date.now() - began).toBe(3000);
  expect((await images).missing[0]?.reason).toContain('within 3 s');
});

test('what is pulled is what the definition asks for, platform included', async () => {
  const asked: unknown[] = [];
  const engine = pullingBy(async function* (reference, { platform }) {
    asked.push([reference, platform]);
    yield { text: 'done' };
  });
  const services = [service('here'), service('ollama', { platform: 'linux/arm64' })];
  const { available, missing } = await ensureImages(contextOn(engine), services);
  expect([available, missing]).toEqual([['here', 'ollama'], []]);
  expect(asked).toEqual([['ollama:1', 'linux/arm64']]);
});

test('an interruption ends every pull', async () => {
  const engine = pullingBy(silent);
  const control = new AbortController();
  const context = { ...contextOn(engine), signal: control.signal };
  const images = ensureImages(context, [service('ollama'), service('web')]);
  const ended = expect(images).rejects.toThrow('interrupted');
  await vi.advanceTimersByTimeAsync(100);
  control.abort(new Error('interrupted'));
  await ended;
});

const page = service('upload-ui', {
  build: { context: '/x', dockerfile: 'Dockerfile', args: new Map([['NODE_IMAGE', 'node:22']]) },
});

test('of what is built here, what it is built on is pulled', async () => {
  const asked: string[] = [];
  const engine = pullingBy(async function* (reference) {
    asked.push(reference);
    yield { text: 'done' };
  });
  expect(await ensureImages(contextOn(engine), [page])).toMatchObject({
    available: ['upload-ui'],
    builtHere: [],
  });
  expect(asked).toEqual(['node:22']);
});

test('what no registry has is made of Debian packages: once, for llama-server and what the page is built on', async () => {
  debian.obstacle = undefined;
  const images = ensureImages(contextOn(pullingBy(silent)), [
    service('ollama'),
    service('llama-server'),
    page,
  ]);
  await vi.runAllTimersAsync();
  expect(await images).toMatchObject({
    available: ['llama-server', 'upload-ui'],
    missing: [{ service: 'ollama' }],
    builtHere: ['LLAMA_SERVER_IMAGE', 'NODE_IMAGE'],
  });
  expect(debian.made).toEqual(['aixcl/llama-server:debian-sid']);
});

test('the page is left out where what it is built on can not be had', async () => {
  const images = ensureImages(contextOn(pullingBy(silent)), [page]);
  await vi.runAllTimersAsync();
  const reason =
    "no image registry answered for node:22 within 10 s; and it can't be built here: this is a test";
  expect((await images).missing).toEqual([{ service: 'upload-ui', image: 'upload-ui:1', reason }]);
});
