import { expect, test } from 'vitest';
import type { AixclError } from '../../src/errors.ts';
import type { ContainerSpec } from '../../src/stack/engine.ts';
import { awaitReady, type WaitOptions } from '../../src/stack/readiness.ts';
import { describeBothEngines, newName, run, scriptOf } from './both-engines.ts';

/** Long enough that nothing here is the engine's own check. */
const interval = 60_000;

describeBothEngines('waiting for a container', (given) => {
  const wait = async (spec: ContainerSpec, own: Partial<WaitOptions> = {}) => {
    const id = await run(given(), spec);
    const began = performance.now();
    const signal = new AbortController().signal;
    const outcome = await awaitReady(given().port, id, { timeoutMs: 20_000, signal, ...own }).catch(
      (error: AixclError) => error,
    );
    return { id, outcome, took: performance.now() - began };
  };

  test('runs its health check from the start, long before the engine does', async () => {
    const healthcheck = { test: ['CMD-SHELL', 'test -e /tmp/up && echo fine'], interval };
    const details: string[] = [];
    const { outcome, took } = await wait(scriptOf('sleep 1; touch /tmp/up; sleep 1000', { healthcheck }), {
      onDetail: (text) => details.push(text),
    });
    expect(outcome).toEqual({ state: 'ready', detail: 'fine' });
    expect(details).toEqual(['fine']);
    expect(took).toBeGreaterThan(500);
    expect(took).toBeLessThan(3000);
  });

  test('notices health about 100 ms after it is there', async () => {
    const healthcheck = { test: ['CMD-SHELL', 'cat /tmp/up'], interval };
    const { outcome } = await wait(
      scriptOf('sleep 1; date +%s.%N > /tmp/new; mv /tmp/new /tmp/up; sleep 1000', { healthcheck }),
    );
    const noticed = Date.now();
    expect(outcome).toMatchObject({ state: 'ready' });
    const upSince = Number((outcome as { detail: string }).detail) * 1000;
    // 100 ms between looks, and the time that one look takes on a busy machine.
    expect(noticed - upSince).toBeLessThan(400);
  });

  test('ends with the last lines of one that the engine calls unhealthy', async () => {
    const healthcheck = { test: ['CMD-SHELL', 'echo sick; exit 1'], interval: 200, retries: 2 };
    const { outcome } = await wait(scriptOf('echo one; echo two >&2; sleep 1000', { healthcheck }));
    expect(outcome).toMatchObject({
      code: 'unhealthy',
      message: expect.stringMatching(/ is unhealthy: sick$/),
    });
    expect([...(outcome as AixclError).evidence].sort()).toEqual(['one', 'two']);
  });

  test('gives a crash loop up, with the last lines', async () => {
    const spec = scriptOf('echo no model; sleep 0.1; exit 3', {
      restart: { name: 'always' },
      healthcheck: { test: ['CMD', 'false'], interval },
    });
    const { id, outcome } = await wait(spec);
    expect(outcome).toMatchObject({
      code: 'unhealthy',
      message: expect.stringContaining('ended 3 times, last with exit code 3'),
      evidence: expect.arrayContaining(['no model']),
    });
    await given().port.stopContainer(id);
  });

  test('takes an end with 0 for readiness where nothing checks health, any other for failure', async () => {
    expect((await wait(scriptOf('exit 0'))).outcome).toMatchObject({ state: 'ready' });
    const healthcheck = { test: ['CMD', 'true'], interval };
    const { outcome } = await wait(scriptOf('echo gone; exit 4', { healthcheck }));
    expect(outcome).toMatchObject({
      message: expect.stringContaining('ended with exit code 4'),
      evidence: ['gone'],
    });
  });

  test('goes on while a model loads, which is no failure at the time limit', async () => {
    const healthcheck = {
      test: ['CMD-SHELL', 'cat /tmp/state 2>/dev/null || echo aixcl: loading big.gguf'],
      interval,
    };
    const still = await wait(scriptOf('sleep 1000', { healthcheck }), { timeoutMs: 700 });
    expect(still.outcome).toEqual({ state: 'loading', detail: 'aixcl: loading big.gguf' });
    expect(still.took).toBeGreaterThan(650);
    const loaded = await wait(scriptOf('sleep 1; echo ready > /tmp/state; sleep 1000', { healthcheck }));
    expect(loaded.outcome).toMatchObject({ state: 'ready', detail: 'ready' });
  });

  test('is not held up by a check that hangs', async () => {
    const healthcheck = { test: ['CMD', 'sleep', '600'], interval };
    const { outcome, took } = await wait(scriptOf('sleep 1000', { healthcheck }), { timeoutMs: 1000 });
    expect(outcome).toMatchObject({ message: expect.stringContaining('did not become healthy within 1 s') });
    expect(took).toBeLessThan(3500);
  });

  test('ends when it is interrupted, and when the container is removed', async () => {
    const healthcheck = { test: ['CMD', 'false'], interval };
    const { took } = await wait(scriptOf('sleep 1000', { healthcheck }), {
      signal: AbortSignal.timeout(400),
    });
    expect(took).toBeLessThan(1500);
    const { port, api } = given();
    const id = await run(given(), scriptOf('sleep 1000', { healthcheck }), newName());
    const waiting = awaitReady(port, id, { timeoutMs: 20_000, signal: new AbortController().signal });
    await Promise.all([
      expect(waiting).rejects.toThrow('was removed while aixcl waited'),
      api.getContainer(id).remove({ force: true }),
    ]);
  });
});
