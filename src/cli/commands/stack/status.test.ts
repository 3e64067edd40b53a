import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveHome } from '../../../home.ts';
import { labels } from '../../../labels.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import { withLeftOut } from '../../../stack/home-overlay.ts';
import { TestEngine } from '../../../stack/test-engine.ts';
import { container, service, stack, volume } from '../../../stack/test-stack.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { saved } from '../vault/test-home.ts';
import { logs } from './logs.ts';
import { type StatusReport, status } from './status.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-status-'));
});
afterEach(() => rm(root, { recursive: true }));

const mounting = (source: string) =>
  ({ kind: 'volume', source, target: '/data', readOnly: false, noCopy: false }) as const;
const definition = stack(
  [
    service('llama-server', { mounts: [mounting('mine')] }),
    service('ollama', {
      profiles: withLeftOut({}, ['ollama'], []).services?.ollama?.profiles ?? [],
      mounts: [mounting('ollama')],
    }),
    service('open-webui', { profiles: ['webui'], mounts: [mounting('open-webui')] }),
  ],
  { volumes: ['mine', 'ollama', 'open-webui', 'unmounted', 'never-made'].map((key) => volume(key)) },
);

function contextOn(engine: TestEngine, shown: StatusReport[] = []): Context {
  return {
    engine: async () => engine,
    definition: async () => definition,
    gpu: async () => ({}),
    env: {},
    home: resolveHome({ AIXCL_HOME: root }),
    ownStack: true,
    flags: { profiles: [], format: 'json' },
    signal: new AbortController().signal,
    out: { item: (_type: string, report: StatusReport) => shown.push(report), line() {} },
  } as unknown as Context;
}

async function volumesShown(...services: string[]): Promise<string[]> {
  const engine = new TestEngine({ volumes: ['ollama', 'open-webui', 'unmounted', 'of-another-stack'] });
  const shown: StatusReport[] = [];
  await status(contextOn(engine, shown), { _: [], $0: '', services });
  return shown[0]!.volumes.map(({ name }) => name).sort();
}

test('a volume of a service that is left out, or whose profile is off, is shown while it is there', async () => {
  expect(await volumesShown()).toEqual(['mine', 'ollama', 'open-webui', 'unmounted']);
});

test('where a service is named, its volumes alone are shown', async () => {
  expect(await volumesShown('llama-server')).toEqual(['mine']);
});

test('a model that was never backed up is told, and that the vault lies on its disk', async () => {
  await mkdir(join(root, 'models'));
  await writeSelfTestModel(join(root, 'models', 'tea.gguf'));
  const shown: StatusReport[] = [];
  await status(contextOn(new TestEngine({}), shown), { _: [], $0: '' });
  expect(shown[0]).toMatchObject({ neverBackedUp: ['tea.gguf'], vaultSharesDisk: true });
});

test('a good backup is known by the index alone; a damaged one is none', async () => {
  await mkdir(join(root, 'models'));
  for (const name of ['tea.gguf', 'milk.gguf']) await writeSelfTestModel(join(root, 'models', name));
  const context = contextOn(new TestEngine({}));
  const vault = vaultOf(context);
  await saved(vault, 'tea.gguf', 'op-1');
  const { id } = await saved(vault, 'milk.gguf', 'op-2');
  {
    const wish = { holder: 'test', operation: 'op-3', patience: 0, signal: context.signal };
    await using writer = await vault.open(wish);
    await writer.note(id, { verified: null, damage: 'rotten' });
  }
  const shown: StatusReport[] = [];
  await status(contextOn(new TestEngine({}), shown), { _: [], $0: '' });
  expect(shown[0]?.neverBackedUp).toEqual(['milk.gguf']);
});

test('the logs of another home are refused, with the home to use', async () => {
  const other = container('llama-server', { labels: { [labels.home]: '/root/aixcl' } });
  const engine = new TestEngine({ containers: [other] });
  await expect(logs(contextOn(engine), { _: [], $0: '' })).rejects.toMatchObject({
    code: 'refused',
    hint: 'AIXCL_HOME=/root/aixcl aixcl …',
  });
});
