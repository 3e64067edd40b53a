import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { composeLabels, labels } from '../../labels.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';
import { TestEngine } from '../test-engine.ts';
import { container, volume as definedVolume, home, service, stack } from '../test-stack.ts';
import { applyClean, type CleanHands } from './clean.ts';
import type { ObservedClean } from './observe-clean.ts';
import { planClean } from './plan-clean.ts';

const labelled = { [composeLabels.project]: 'aixcl', [labels.home]: home };
const ollama: VolumeSummary = {
  name: 'ollama',
  driver: 'local',
  options: {},
  labels: { [labels.home]: home },
  mountpoint: '',
};
const mounts = [{ kind: 'volume', name: 'ollama', target: '/root/.ollama' }];
const definition = stack([service('ollama'), service('llama-server')], {
  volumes: [definedVolume('ollama')],
});

function ours(name: string, own: Partial<ContainerSummary> = {}): ContainerSummary {
  return container(name, { labels: { ...labelled, [composeLabels.service]: name }, ...own });
}

interface World {
  readonly containers: readonly ContainerSummary[];
  readonly volumes?: readonly string[];
  readonly guarded?: boolean;
  readonly others?: readonly VolumeSummary[];
}

function scene({ containers, volumes = [], guarded = true, others = [] }: World) {
  const guard = container('aixcl-guard', {
    labels: { [labels.home]: home, [labels.guard]: 'ollama' },
    mounts,
  });
  const engine = new TestEngine({ containers, networks: ['aixcl_default'], volumes: [ollama] });
  const looked = { size: 1, files: 1, linked: false, leftOut: [], folder: undefined, held: null };
  const seen: ObservedClean = {
    definition,
    home,
    containers: guarded ? [...containers, guard] : containers,
    networks: [{ id: 'aixcl_default', name: 'aixcl_default', labels: labelled }],
    images: [],
    volumes: [ollama, ...others],
    contents: new Map([['ollama', 'models']]),
    sizes: new Map(),
    layerModels: new Map(),
    asked: new Map([['ollama', looked]]),
    guardImages: ['busybox'],
  };
  const proof = { snapshot: { id: 'b0001' } } as VerifiedBackup;
  const did = (what: string) => {
    engine.did.push(what);
  };
  const hands: CleanHands = {
    engine,
    signal: new AbortController().signal,
    note: async () => {},
    progress: { start: () => ({ succeed() {}, fail() {} }) },
    timeout: undefined,
    save: async ({ name }) => {
      did(`save ${name}`);
      return proof;
    },
    hold: async (names) => did(`hold ${names.join()}`),
    letGo: async ({ name }) => did(`let go of ${name}`),
    removeSaved: async ({ name }) => did(`remove saved ${name}`),
    reapHelper: async () => true,
  };
  return { engine, hands, plan: planClean(seen, { volumes }) };
}

test('a volume is saved once all that may write into it stands, and before anything goes', async () => {
  const containers = [ours('ollama', { mounts }), ours('llama-server', { state: 'exited' })];
  const { engine, hands, plan } = scene({ containers, volumes: ['ollama'] });
  const { failures } = await applyClean(plan, hands);
  expect(failures).toEqual([]);
  expect(engine.did).toEqual([
    'stop ollama',
    'save ollama',
    'remove llama-server',
    'remove ollama',
    'let go of ollama',
    'remove saved ollama',
    'remove network aixcl_default',
  ]);
});

test('what can not be saved stays, with all else: the containers stand, and that is said', async () => {
  const { engine, hands, plan } = scene({ containers: [ours('ollama', { mounts })], volumes: ['ollama'] });
  const full: CleanHands = {
    ...hands,
    save: async () => {
      throw new AixclError('noSpace', 'the vault is full', { hint: 'aixcl backups cleanup' });
    },
  };
  await expect(applyClean(plan, full)).rejects.toMatchObject({
    code: 'noSpace',
    message:
      'the volume ollama stays, as it could not be saved: the vault is full; ollama was stopped; nothing was removed',
    hint: 'aixcl backups cleanup',
  });
  expect(engine.did).toEqual(['stop ollama']);
});

test('what does not go keeps nothing else from going', async () => {
  const { engine, hands, plan } = scene({ containers: [ours('ollama', { state: 'paused' })] });
  engine.removeNetwork = async () => {
    throw new AixclError('unexpected', 'somebody is in it');
  };
  const { outcomes, failures } = await applyClean(plan, hands);
  expect(engine.did).toEqual(['start ollama', 'stop ollama', 'remove ollama']);
  expect(failures).toHaveLength(1);
  expect(outcomes.map(({ kind, outcome, because }) => `${kind} ${outcome}: ${because}`)).toEqual([
    'remove-container done: it is of the project aixcl',
    'keep-container kept: it holds ollama, so that no clean-up takes what is in there',
    'remove-network failed: somebody is in it',
    'keep-volume kept: it holds models; to save it and take it away: aixcl stack clean --volumes ollama',
  ]);
});

test('a helper whose command is at work stays', async () => {
  const helper = container('aixcl-helper-1', { labels: { [labels.home]: home, [labels.operation]: 'op' } });
  const { hands, plan } = scene({ containers: [helper] });
  const { outcomes } = await applyClean(plan, { ...hands, reapHelper: async () => false });
  expect(outcomes).toContainEqual(
    expect.objectContaining({
      kind: 'remove-helper',
      outcome: 'kept',
      because: 'a command that is at work uses it',
    }),
  );
});

test('what stays is held before the containers go', async () => {
  const { engine, hands, plan } = scene({ containers: [ours('ollama', { mounts })], guarded: false });
  await applyClean(plan, hands);
  expect(engine.did).toEqual(['hold ollama', 'stop ollama', 'remove ollama', 'remove network aixcl_default']);
});

test('where it can not be held, the container that holds it stays, with what it needs; all else goes', async () => {
  const containers = [ours('ollama', { mounts, networks: ['aixcl_default'] }), ours('llama-server')];
  const { engine, hands, plan } = scene({ containers, guarded: false });
  const hold = async () => {
    throw new AixclError('notFound', 'no image runs');
  };
  const { outcomes, failures } = await applyClean(plan, { ...hands, hold });
  expect(engine.did).toEqual(['stop llama-server', 'remove llama-server']);
  expect(failures).toHaveLength(1);
  expect(outcomes.map(({ kind, outcome, because }) => `${kind} ${outcome}: ${because}`)).toEqual([
    'hold-volumes failed: no image runs',
    'remove-container done: it is of the project aixcl',
    'remove-container kept: nothing else holds ollama',
    'remove-network kept: ollama, which stays, needs it',
    expect.stringMatching(/^keep-volume kept/),
  ]);
});

test('where it can not be held, nothing is saved and taken away', async () => {
  const other = { ...ollama, name: 'other' };
  const containers = [
    ours('ollama', { mounts }),
    ours('llama-server', { mounts: [{ ...mounts[0]!, name: 'other' }] }),
  ];
  const { engine, hands, plan } = scene({ containers, volumes: ['ollama'], others: [other] });
  const hold = async () => {
    throw new AixclError('notFound', 'no image runs');
  };
  await expect(applyClean(plan, { ...hands, hold })).rejects.toMatchObject({ message: 'no image runs' });
  expect(engine.did).toEqual([]);
});
