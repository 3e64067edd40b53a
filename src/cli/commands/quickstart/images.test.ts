import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Engine, PullOptions } from '../../../stack/engine.ts';
import { withLeftOut } from '../../../stack/home-overlay.ts';
import { TestEngine } from '../../../stack/test-engine.ts';
import { service } from '../../../stack/test-stack.ts';
import type { Context } from '../../context.ts';
import { ensureImages } from './images.ts';

vi.mock('../../../adapters/debian/llama-image.ts', () => ({
  whyNotBuildable: async () => 'this is a test',
  buildLocalImage: async () => {},
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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
