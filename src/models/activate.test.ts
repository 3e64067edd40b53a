import { expect, test } from 'vitest';
import type { AixclError } from '../errors.ts';
import { activate } from './activate.ts';
import { type ActivationRequest, parseState } from './activation.ts';
import type { Activation } from './active-model.ts';
import type { Model } from './model.ts';
import type { ModelName } from './model-name.ts';
import type { ModelsDirectory } from './models-directory.ts';

const name = 'b.gguf' as ModelName;
const model = { name, damage: null, summary: { role: 'model' } } as Model;

/** A llama-server whose entrypoint goes through these states, one a look, once it is asked. */
function world(
  states: readonly string[],
  options: { running?: readonly boolean[]; before?: Partial<Activation> } = {},
) {
  let clock = 0;
  let look = 0;
  let asked = 0;
  const requests: ActivationRequest[] = [];
  const noted: string[] = [];
  const running = options.running ?? [true];
  const directory = {
    async activation(): Promise<Activation> {
      const before: Activation = {
        state: undefined,
        request: undefined,
        linked: undefined,
        written: undefined,
        problems: [],
        ...options.before,
      };
      const request = requests.at(-1);
      if (!request) return before;
      const text = states[Math.min(look++, states.length - 1)]!;
      return { ...before, request, state: parseState(text.replace('ID', request.id)) };
    },
    async writeRequest(request: ActivationRequest) {
      requests.push(request);
    },
  } as ModelsDirectory;
  return {
    requests,
    noted,
    ports: {
      directory,
      by: 'cli' as const,
      serverRunning: async () => running[Math.min(asked++, running.length - 1)]!,
      note: async (...step: string[]) => void noted.push(`${step.join(' ')} ${requests.length}`),
      newRequestId: () => `id-${requests.length}`,
      now: () => new Date(clock),
      sleep: async (milliseconds: number) => {
        clock += milliseconds;
      },
    },
  };
}

const signal = new AbortController().signal;
const applied = 'phase: ready\nactive: b.gguf\nrequest: ID\nresult: applied\n';
const switching = 'phase: switching\nactive: a.gguf\nmodel: b.gguf\nrequest: ID\nresult: pending\n';

async function errorOf(work: Promise<unknown>): Promise<AixclError> {
  return await work.then(
    () => {
      throw new Error('It did not fail');
    },
    (error: AixclError) => error,
  );
}

test('it is done when llama-server says ready for this request and this model', async () => {
  const { ports, requests, noted } = world([
    'phase: ready\nactive: a.gguf\nrequest: old\nresult: applied\n',
    switching,
    applied,
  ]);
  expect(await activate(model, ports, { signal })).toBe('applied');
  expect(noted).toEqual(['activate b.gguf asked for 0']);
  expect(requests).toEqual([{ id: 'id-0', name, by: 'cli', time: '1970-01-01T00:00:00.000Z' }]);
});

test('a load takes as long as it takes while the container runs', async () => {
  const { ports } = world([...Array<string>(20_000).fill(switching), applied]);
  expect(await activate(model, ports, { signal })).toBe('applied');
});

test('a model that did not come up is unhealthy, with the reason, the last lines and who serves now', async () => {
  const { ports } = world([
    switching,
    'phase: ready\nactive: a.gguf\nrequest: ID\nresult: reverted\nreason: it exited with 1\nlog: out of memory\n',
  ]);
  const error = await errorOf(activate(model, ports, { signal }));
  expect(error).toMatchObject({ code: 'unhealthy', exitCode: 6, evidence: ['out of memory'] });
  expect(error.message).toContain('it exited with 1');
  expect(error.message).toContain('"a.gguf" serves as before');
});

test('a refusal is told as one', async () => {
  const { ports } = world([
    'phase: ready\nactive: a.gguf\nrequest: ID\nresult: refused\nreason: no such file\n',
  ]);
  expect(await errorOf(activate(model, ports, { signal }))).toMatchObject({ code: 'refused' });
});

test('ready with another model is not ready', async () => {
  const { ports } = world(['phase: ready\nactive: a.gguf\nrequest: ID\nresult: applied\n']);
  expect(await errorOf(activate(model, ports, { signal }))).toMatchObject({ code: 'unhealthy' });
});

test('with llama-server stopped the request is left for its next start', async () => {
  const { ports, requests } = world([], { running: [false] });
  expect(await activate(model, ports, { signal })).toBe('recorded');
  expect(requests).toHaveLength(1);
});

test('without an engine nothing is written', async () => {
  const { ports, requests } = world([]);
  ports.serverRunning = async () => {
    throw new Error('unreachable');
  };
  await expect(activate(model, ports, { signal })).rejects.toThrow('unreachable');
  expect(requests).toEqual([]);
});

test('a container that stops while it loads ends the wait; one that blinks does not', async () => {
  const stopped = world([switching], { running: [true, true, false, false] });
  expect(await errorOf(activate(model, stopped.ports, { signal }))).toMatchObject({ code: 'notRunning' });
  const blinking = world([...Array<string>(100).fill(switching), applied], {
    running: [true, true, false, true],
  });
  expect(await activate(model, blinking.ports, { signal })).toBe('applied');
});

test('a request that nobody takes up ends in an error, not in waiting for ever', async () => {
  const { ports } = world(['phase: ready\nactive: a.gguf\nrequest: old\nresult: applied\n']);
  const error = await errorOf(activate(model, ports, { signal }));
  expect(error).toMatchObject({ code: 'unhealthy' });
  expect(error.message).toContain('did not take up');
});

test('a request that another one replaced is told as refused', async () => {
  const { ports } = world([
    switching,
    'phase: ready\nactive: c.gguf\nrequest: 9\nsuperseded: ID\nresult: applied\n',
  ]);
  expect(await errorOf(activate(model, ports, { signal }))).toMatchObject({ code: 'refused' });
});

test('what serves already is not restarted, unless its arguments changed', async () => {
  const before = {
    state: parseState('phase: ready\nactive: b.gguf\nrequest: 1\nresult: applied\n'),
    linked: name,
    written: name,
  };
  const quiet = world([applied], { before });
  expect(await activate(model, quiet.ports, { signal })).toBe('unchanged');
  expect(quiet.requests).toEqual([]);
  const again = world([applied], { before });
  expect(await activate(model, again.ports, { signal, again: true })).toBe('applied');
  const edited = world([applied], { before: { ...before, linked: 'a.gguf' as ModelName } });
  expect(await activate(model, edited.ports, { signal })).toBe('applied');
});

test('Ctrl-C ends the wait with its own reason', async () => {
  const control = new AbortController();
  const { ports } = world([switching]);
  const sleep = ports.sleep;
  ports.sleep = async (milliseconds) => {
    control.abort(new Error('interrupted'));
    await sleep(milliseconds);
  };
  await expect(activate(model, ports, { signal: control.signal })).rejects.toThrow('interrupted');
});

test('what can not be served is refused before anything is written', async () => {
  const { ports, requests } = world([applied]);
  const damaged = { ...model, damage: 'it is truncated' };
  expect(await errorOf(activate(damaged, ports, { signal }))).toMatchObject({
    code: 'verification',
    exitCode: 7,
  });
  for (const role of ['projector', 'adapter', 'other'] as const) {
    const other = { ...model, summary: { ...model.summary!, role } };
    expect(await errorOf(activate(other, ports, { signal }))).toMatchObject({ code: 'refused' });
  }
  expect(requests).toEqual([]);
});
