import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { ServiceDefinition } from '../definition/types.ts';
import { LostPort } from '../lost-port.ts';
import { TestEngine } from '../test-engine.ts';
import { replacedId } from '../test-plan.ts';
import { ourContainer, service, stack } from '../test-stack.ts';
import { outcomes, start } from '../test-start.ts';

const check = { test: ['CMD', 'check'] };
const restart = { name: 'always' } as const;
const before = service('a', { image: 'a:0', restart, healthcheck: check });
const now = service('a', { image: 'a:1', restart: { name: 'unless-stopped' }, healthcheck: check });
const definition = stack([now]);
const old = ourContainer(stack([before]), before, { id: replacedId, health: 'healthy' });
const aside = 'a.aside-a5559cc38d9d';

/** An engine on which the old container runs. The new one is healthy unless its image is `a:bad`. */
function engineWith(...more: Parameters<typeof ourContainer>[]): TestEngine {
  const engine = new TestEngine({
    images: ['a:0', 'a:1', 'a:bad', 'b:1'],
    networks: ['aixcl_default'],
    containers: [old, ...more.map((one) => ourContainer(...one))],
  });
  engine.restartPolicies.set(replacedId, restart);
  engine.exec = async (id) => {
    const { image } = (await engine.inspectContainer(id))!;
    return image === 'a:bad' ? { exitCode: 1, output: 'sick' } : { exitCode: 0, output: '' };
  };
  return engine;
}

const bad: ServiceDefinition = { ...now, image: 'a:bad' };
const impatient = { hands: { waitTimeoutMs: 150 } };

const goneBack = [
  'stop a',
  'rename a to a.failed-ffff00010000',
  'set the restart policy of a.failed-ffff00010000 to no',
  `set the restart policy of ${aside} to always`,
  `rename ${aside} to a`,
  'start a',
  'remove a.failed-ffff00010000',
];

test('the new container stands beside the old one before that is stopped, and is healthy before that goes', async () => {
  const engine = engineWith();
  engine.exec = async () => {
    engine.did.push('healthy');
    return { exitCode: 0, output: '' };
  };
  await start(engine, definition);
  expect(engine.did).toEqual([
    'create a5559cc38d9d_a',
    'stop a',
    `rename a to ${aside}`,
    `set the restart policy of ${aside} to no`,
    'rename a5559cc38d9d_a to a',
    'start a',
    'healthy',
    `remove ${aside}`,
  ]);
  const [spec] = engine.specs.values();
  expect(spec?.labels).toMatchObject({
    [labels.replaces]: replacedId,
    [labels.replacedRestart]: 'always',
  });
});

test('a new container that does not become healthy goes, and the old one serves again with its own name and policy', async () => {
  const engine = engineWith();
  const outcome = await start(engine, stack([bad]), impatient);
  expect(outcome.failures).toEqual([
    expect.objectContaining({
      code: 'unhealthy',
      message: 'a did not become healthy within 0 s; the container before it serves again',
      evidence: ['last words'],
      hint: 'Mend its definition or image, then: aixcl service start a',
    }),
  ]);
  expect(engine.did.slice(-goneBack.length)).toEqual(goneBack);
  expect(outcomes(outcome)).toEqual([
    'done replace a',
    'done start a',
    'failed wait a',
    'done go-back a',
    'done wait a',
    `skipped remove-replaced ${aside}`,
  ]);
});

test('the old one is started even where it did not run: a start was asked for', async () => {
  const engine = engineWith();
  engine.change(replacedId, { state: 'exited' });
  await start(engine, stack([bad]), impatient);
  expect(engine.stand).toEqual(['a running']);
});

test('a verdict of the engine ends the wait at once', async () => {
  const engine = engineWith();
  const inspect = engine.inspectContainer;
  engine.inspectContainer = async (id) => {
    const found = await inspect(id);
    return found && id !== replacedId && found.state === 'running'
      ? { ...found, health: 'unhealthy' }
      : found;
  };
  const began = performance.now();
  const { failures } = await start(engine, stack([bad]), { hands: { waitTimeoutMs: 60_000 } });
  expect(failures).toEqual([expect.objectContaining({ message: expect.stringContaining('is unhealthy') })]);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(engine.stand).toEqual(['a running']);
});

type Change =
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'renameContainer'
  | 'setRestartPolicy'
  | 'removeContainer';

/** The engine refuses the `nth` change of that kind. */
function refusing(engine: TestEngine, kind: Change, nth = 1): TestEngine {
  const plain = engine[kind] as (...args: unknown[]) => Promise<unknown>;
  let count = 0;
  const wrapped = async (...args: unknown[]) => {
    count += 1;
    if (count === nth) throw new AixclError('unexpected', `no ${kind}`);
    return plain(...args);
  };
  Object.assign(engine, { [kind]: wrapped });
  return engine;
}

test.each<Change>([
  'createContainer',
  'startContainer',
  'stopContainer',
  'renameContainer',
  'setRestartPolicy',
])('where %s fails the old container serves on, and it is said why', async (kind) => {
  const engine = refusing(engineWith(), kind);
  const { failures } = await start(engine, definition);
  expect(failures).toEqual([
    expect.objectContaining({
      code: 'unhealthy',
      message: `a: no ${kind}; the container before it serves again`,
    }),
  ]);
  expect(engine.stand).toEqual(['a running']);
  expect(engine.restartPolicies.get(replacedId)).toEqual(restart);
});

test.each<[Change, number]>([
  ['stopContainer', 2],
  ['renameContainer', 3],
  ['renameContainer', 4],
  ['setRestartPolicy', 2],
  ['setRestartPolicy', 3],
  ['removeContainer', 1],
])(
  'where going back meets a refused %s (%i), the old one serves all the same, and the next start settles it',
  async (kind, nth) => {
    const engine = refusing(engineWith(), kind, nth);
    const { failures } = await start(engine, stack([bad]), impatient);
    expect(failures).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/serves again, but not all is as before: .*no /),
      }),
    ]);
    expect(engine.stand).toContainEqual(expect.stringMatching(/^a(\.aside-a5559cc38d9d)? running$/));
    await start(engine, stack([before]));
    expect(engine.stand).toEqual(['a running']);
    expect(engine.restartPolicies.get(replacedId)).toEqual(restart);
  },
);

test('where the old one does not start again, that is said too', async () => {
  const engine = refusing(engineWith(), 'startContainer', 2);
  const { failures } = await start(engine, stack([bad]), impatient);
  expect(failures).toEqual([
    expect.objectContaining({
      code: 'unhealthy',
      message: expect.stringMatching(
        /^a did not become healthy .*; and the container before it does not serve again: .*no startContainer/,
      ),
    }),
  ]);
});

test('where the engine lost the port, neither form is to blame, and it is said what helps', async () => {
  const engine = engineWith();
  engine.startContainer = async () => {
    throw new LostPort(8080, new AixclError('unexpected', 'port is already allocated'));
  };
  const { failures } = await start(engine, definition);
  expect(failures).toEqual([
    expect.objectContaining({
      code: 'unhealthy',
      hint: 'Restart the engine (sudo systemctl restart docker), then: aixcl stack start',
    }),
  ]);
});

test('where only the new container met a port that the engine lost, its definition is not to be mended', async () => {
  const engine = engineWith();
  const plain = engine.startContainer;
  engine.startContainer = async (id) => {
    if (id !== replacedId) throw new LostPort(8080, new AixclError('unexpected', 'allocated'));
    await plain(id);
  };
  const { failures } = await start(engine, definition);
  expect(failures).toEqual([
    expect.objectContaining({
      message: expect.stringContaining('serves again'),
      hint: expect.stringMatching(/^Restart the engine/),
    }),
  ]);
});

test('a start that hangs is given up after the time for waiting', async () => {
  const engine = engineWith();
  const plain = engine.startContainer;
  engine.startContainer = async (id) => {
    if (id !== replacedId) await new Promise(() => {});
    await plain(id);
  };
  await start(engine, definition, impatient);
  expect(engine.stand).toEqual(['a running']);
});

test('an engine that can no longer be reached is no verdict', async () => {
  const engine = engineWith();
  engine.startContainer = async () => {
    throw new AixclError('engineUnreachable', 'gone');
  };
  const { failures } = await start(engine, definition);
  expect(failures).toEqual([expect.objectContaining({ code: 'engineUnreachable' })]);
  expect(engine.stand.sort()).toEqual(['a created', `${aside} exited`]);
});

test('an interrupted wait goes back without waiting for anything more', async () => {
  const engine = engineWith();
  const interruption = new AbortController();
  const reason = new AixclError('interrupted', 'stopped by Ctrl-C');
  const work = start(engine, stack([bad]), {
    hands: { signal: interruption.signal, waitTimeoutMs: 60_000 },
  });
  const ended = expect(work).rejects.toBe(reason);
  await delay(100);
  interruption.abort(reason);
  await ended;
  expect(engine.stand).toEqual(['a running']);
  expect(engine.did.slice(-goneBack.length)).toEqual(goneBack);
});

test('what someone stopped during the wait is not started again, in neither form', async () => {
  const engine = engineWith();
  const work = start(engine, stack([bad]), { hands: { waitTimeoutMs: 60_000 } });
  await delay(100);
  for (const { id, name } of await engine.listContainers()) {
    if (name === 'a') engine.change(id, { state: 'exited' });
  }
  const { failures } = await work;
  expect(failures).toEqual([
    expect.objectContaining({ message: expect.stringContaining('someone stopped it while aixcl waited') }),
  ]);
  expect(engine.stand.sort()).toEqual(['a exited', `${aside} exited`]);
});

test('a new container that still loads proves nothing: the old one stays set aside', async () => {
  const engine = engineWith();
  engine.exec = async () => ({ exitCode: 0, output: 'aixcl: loading big.gguf' });
  const outcome = await start(engine, definition, impatient);
  expect(outcome).toMatchObject({ failures: [], loading: ['a'] });
  expect(outcomes(outcome).at(-1)).toBe(`kept keep-aside ${aside}`);
  expect(engine.stand).toEqual([`${aside} exited`, 'a running']);
});

test('what is set aside is not removed once another command went back to it', async () => {
  const engine = engineWith();
  const plain = engine.exec;
  engine.exec = async (...args) => {
    engine.change(replacedId, { name: 'a-again' });
    return plain(...args);
  };
  const { failures } = await start(engine, definition);
  expect(failures).toEqual([expect.objectContaining({ code: 'refused' })]);
  expect(engine.stand).toContain('a-again exited');
});

const dependent = (own: Partial<ServiceDefinition>) => service('b', own);
const on = (required: boolean, restarts: boolean) => ({
  dependsOn: new Map([['a', { condition: 'service_started' as const, required, restart: restarts }]]),
});

test.each([
  ['kept', on(true, true), {}],
  ['drifted', on(true, false), { image: 'b:0' }],
])('a dependent that is %s stays untouched where the service went back', async (_of, depends, was) => {
  const b = dependent(depends);
  const both = stack([bad, b]);
  const wasB = service('b', { ...b, ...was });
  const engine = engineWith([stack([wasB]), wasB]);
  const { failed } = await start(engine, both, impatient);
  expect([...failed][0]).toBe('a');
  expect(engine.did.filter((line) => / b$|_b|b\./.test(line))).toEqual([]);
  expect(engine.stand).toContain('b running');
});

test('a dependent restarts once the service is healthy, not before', async () => {
  const b = dependent(on(true, true));
  const both = stack([now, b]);
  const engine = engineWith([both, b]);
  await start(engine, both);
  expect(engine.did.slice(-2)).toEqual([`remove ${aside}`, 'restart b']);
});

test('what shares its network keeps its container, and gets its network back', async () => {
  const guest = service('b', { networkMode: 'service:a' });
  const both = stack([bad, guest]);
  const engine = engineWith([both, guest, { networkMode: `container:${replacedId}` }]);
  const { failed } = await start(engine, both, impatient);
  expect([...failed]).toEqual(['a']);
  expect(engine.did.at(-1)).toBe('restart b');
  expect(engine.stand).toEqual(['a running', 'b running']);
});

test('what shares its network and did not run is told as not started, not as up', async () => {
  const guest = service('b', { networkMode: 'service:a' });
  const both = stack([bad, guest]);
  const engine = engineWith([both, guest, { networkMode: `container:${replacedId}`, state: 'exited' }]);
  const outcome = await start(engine, both, impatient);
  expect([...outcome.failed]).toEqual(['a', 'b']);
  expect(outcome.failures.at(-1)).toMatchObject({
    code: 'unhealthy',
    message: 'b was not started: it shares the network of a, which did not come up',
  });
  expect(engine.stand).toEqual(['a running', 'b exited']);
  expect(outcomes(outcome, 'restart')).toEqual([]);
});
