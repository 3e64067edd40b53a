import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import type { ContainerDetail, ExecResult } from './engine.ts';
import { awaitCompletion, awaitReady } from './readiness.ts';
import { TestEngine } from './test-engine.ts';
import { container, detail } from './test-stack.ts';

const signal = new AbortController().signal;
const check = { healthcheckTest: ['CMD', 'check'] };
const base = container('web');
const ok = { exitCode: 0, output: 'fine\nmore\n' };
const bad = { exitCode: 1, output: 'not yet\n' };

type Look = Partial<ContainerDetail> | undefined;

/** An engine that shows these looks at a container, and these runs of its health check, the last one for ever. */
function showing(looks: readonly Look[], runs: readonly (ExecResult | Error | 'hangs')[] = [ok]): TestEngine {
  const engine = new TestEngine();
  let looked = 0;
  let ran = 0;
  engine.inspectContainer = async () => {
    const look = looks[Math.min(looked++, looks.length - 1)];
    return look && detail(base, look);
  };
  engine.exec = async (_id, argv) => {
    engine.did.push(argv.join(' '));
    const run = runs[Math.min(ran++, runs.length - 1)]!;
    if (run instanceof Error) throw run;
    if (run === 'hangs') return new Promise(() => {});
    return run;
  };
  return engine;
}

function wait(engine: TestEngine, timeoutMs = 5000) {
  return awaitReady(engine, base.id, { timeoutMs, signal });
}

test('a health check is run at once, and its first line handed on', async () => {
  const began = performance.now();
  expect(await wait(showing([check]))).toEqual({ state: 'ready', detail: 'fine' });
  expect(performance.now() - began).toBeLessThan(90);
});

test('it is run again every 100 ms until it succeeds', async () => {
  const engine = showing([check], [bad, bad, ok]);
  const details: string[] = [];
  const began = performance.now();
  const options = { timeoutMs: 5000, signal, onDetail: (text: string) => details.push(text) };
  await awaitReady(engine, base.id, options);
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(150);
  expect(took).toBeLessThan(400);
  expect(details).toEqual(['not yet', 'fine']);
});

test.each([
  [['CMD', 'a', 'b c'], 'a b c'],
  [['CMD-SHELL', 'a || b'], '/bin/sh -c a || b'],
])('a check %j is run as the engine would', async (healthcheckTest, argv) => {
  const engine = showing([{ healthcheckTest }]);
  await wait(engine);
  expect(engine.did).toEqual([argv]);
});

test.each([[['NONE']], [[]]])('without a health check (%j) it is enough to run', async (healthcheckTest) => {
  const engine = showing([{ healthcheckTest }]);
  expect(await wait(engine)).toEqual({ state: 'ready', detail: '' });
  expect(engine.did).toEqual([]);
});

test.each([[['NONE']], [[]]])(
  'without a health check (%j) an end with 0 is a success',
  async (healthcheckTest) => {
    expect(await wait(showing([{ healthcheckTest, state: 'exited' }]))).toMatchObject({ state: 'ready' });
  },
);

test('an end with anything else is a failure, with the last log lines', async () => {
  const error = await wait(showing([{ state: 'exited', exitCode: 3 }])).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(AixclError);
  expect(error).toMatchObject({
    code: 'unhealthy',
    message: 'web ended with exit code 3',
    evidence: ['last words'],
  });
});

test('a service with a health check that ends is a failure, also with 0', async () => {
  await expect(wait(showing([{ ...check, state: 'exited' }]))).rejects.toThrow('web ended with exit code 0');
});

test('want of memory is named', async () => {
  await expect(wait(showing([{ state: 'exited', exitCode: 137, oomKilled: true }]))).rejects.toThrow(
    'web was killed for want of memory',
  );
});

test('a crash loop is given up after the third end, whatever the time limit', async () => {
  const looks = [5, 5, 6, 7, 8].map((restartCount) => ({
    ...check,
    restartCount,
    state: 'restarting' as const,
    health: 'unhealthy' as const,
    exitCode: 1,
  }));
  const began = performance.now();
  await expect(wait(showing(looks), 60_000)).rejects.toThrow('web ended 3 times, last with exit code 1');
  expect(performance.now() - began).toBeLessThan(2000);
});

test('what the engine calls unhealthy is a failure, unless its check succeeds now', async () => {
  const looks = [{ ...check, health: 'unhealthy' as const }];
  await expect(wait(showing(looks, [bad]))).rejects.toThrow('web is unhealthy: not yet');
  expect(await wait(showing(looks, [ok]))).toMatchObject({ state: 'ready' });
  const loading = { exitCode: 0, output: 'aixcl: loading big.gguf' };
  expect(await wait(showing(looks, [loading, ok]))).toMatchObject({ detail: 'fine' });
});

test('the time limit is a failure that names it', async () => {
  await expect(wait(showing([check], [bad]), 150)).rejects.toThrow('web did not become healthy within 0 s');
});

test('loading is waited for, is no failure at the time limit, and ends in readiness', async () => {
  const loading = { exitCode: 0, output: 'aixcl: loading big.gguf\n' };
  expect(await wait(showing([check], [loading]), 150)).toEqual({
    state: 'loading',
    detail: 'aixcl: loading big.gguf',
  });
  expect(await wait(showing([check], [loading, loading, ok]))).toEqual({ state: 'ready', detail: 'fine' });
  const healthy = { ...check, health: 'healthy' as const };
  expect(await wait(showing([healthy], [loading, ok]))).toMatchObject({ detail: 'fine' });
});

test('a check that fails and says that it loads is no loading', async () => {
  const failing = { exitCode: 1, output: 'aixcl: loading big.gguf\n' };
  await expect(wait(showing([check], [failing]), 150)).rejects.toMatchObject({ code: 'unhealthy' });
});

test('a container that goes while it is looked at is asked for again; one that was removed is a failure', async () => {
  const gone = new AixclError('unexpected', 'container is not running');
  expect(await wait(showing([check], [gone, ok]))).toMatchObject({ state: 'ready' });
  await expect(wait(showing([check, check, undefined], [bad]))).rejects.toThrow(
    'was removed while aixcl waited',
  );
});

test('an engine that can not be reached is told as that', async () => {
  const away = new AixclError('engineUnreachable', 'gone');
  await expect(wait(showing([check], [away]))).rejects.toBe(away);
});

test.each<[string, readonly Look[], readonly (ExecResult | 'hangs')[], string]>([
  ['the time limit', [check], ['hangs'], 'web did not become healthy within 1 s'],
  [
    'what the engine calls unhealthy',
    [check, check, { ...check, health: 'unhealthy' }],
    ['hangs'],
    'web is unhealthy',
  ],
  [
    'what the engine calls healthy',
    [{ ...check, health: 'healthy', healthLog: [{ exitCode: 0, output: 'up\n' }] }],
    ['hangs'],
    'up',
  ],
  ['a restart of the container', [check, check, { ...check, startedAt: 'later' }], ['hangs', ok], 'fine'],
])('a check that hangs does not hold up %s', async (_what, looks, runs, expected) => {
  const words = await wait(showing(looks, runs), 1400).then(
    ({ detail: text }) => text,
    (error: Error) => error.message,
  );
  expect(words).toBe(expected);
});

test('an interruption ends the wait at once, with its reason', async () => {
  const interruption = new AbortController();
  const reason = new AixclError('interrupted', 'stopped by Ctrl-C');
  setTimeout(() => interruption.abort(reason), 120);
  const began = performance.now();
  const work = awaitReady(showing([check], [bad]), base.id, { timeoutMs: 5000, signal: interruption.signal });
  await expect(work).rejects.toSatisfy((error) => error === reason || (error as Error).name === 'AbortError');
  expect(performance.now() - began).toBeLessThan(400);
});

test('completion is an end with 0; any other end and the time limit are failures', async () => {
  const complete = (looks: readonly Look[], timeoutMs = 5000) =>
    awaitCompletion(showing(looks), base.id, { timeoutMs, signal });
  const exited = { state: 'exited' as const };
  await complete([{}, exited]);
  await expect(complete([{}, { ...exited, exitCode: 2 }])).rejects.toThrow('web ended with exit code 2');
  await expect(complete([{}], 100)).rejects.toThrow('web did not complete within 0 s');
});
