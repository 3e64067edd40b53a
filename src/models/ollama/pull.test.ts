import { expect, test } from 'vitest';
import { digestOf } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { DamagedFile, KeptModel } from '../keeper.ts';
import type { OllamaManifest } from './manifest.ts';
import { parseOllamaName } from './name.ts';
import type { Pull, PullStep } from './plan-pull.ts';
import { applyPull, observePull, type PullPorts } from './pull.ts';
import type { Registry, RemoteModel } from './registry.ts';
import type { PullLine } from './runtime.ts';

const signal = new AbortController().signal;
const digest = digestOf('a'.repeat(64));
const blob = { mediaType: 'model', digest, size: 100 };
const damagedBlob: DamagedFile = { path: `blobs/sha256-${'a'.repeat(64)}`, digest, why: 'other bytes' };

interface World {
  /** Each pull's lines; more pulls than these fail. */
  pulls: PullLine[][];
  /** What each hash of the model finds. */
  checks: DamagedFile[][];
  installed?: boolean;
  saveFails?: boolean;
  pullFails?: Error;
  /** Its bytes were hashed before and are unchanged. */
  proven?: boolean;
}

/** Everything that was done, in order. */
async function done(kind: 'add' | 'update' | 'keep', world: World, cut: Pull['cut'] = []) {
  const events: string[] = [];
  const model = { subject: { runtime: 'ollama', name: 'a:latest' }, size: 100 } as KeptModel;
  let installed = world.installed ?? kind !== 'add';
  const ports: PullPorts = {
    runtime: {
      async *pull(name, { insecure }) {
        events.push(`pull ${name}${insecure ? ' insecure' : ''}`);
        if (world.pullFails) throw world.pullFails;
        yield* world.pulls.shift()!;
        installed = true;
      },
    },
    keeper: {
      find: async () => (installed ? model : undefined),
      async verify() {
        events.push('hash');
        return world.checks.shift() ?? [];
      },
    },
    async save() {
      events.push('save');
      if (world.saveFails) throw new Error('the vault is full');
      return { id: 'b0007' } as Snapshot;
    },
    async mend(_model, files) {
      events.push(`mend ${files.length}`);
    },
    async setAside(layers) {
      events.push(`set aside ${layers.length}`);
    },
  };
  const step: PullStep = {
    kind,
    because: 'asked for',
    name: parseOllamaName('a'),
    insecure: false,
    missing: [blob],
    cut,
    proven: world.proven ?? false,
  };
  const shown: string[] = [];
  const reporter = {
    begin(label: string, total: number | null) {
      shown.push(`${label} ${total}`);
      return {
        update: (now: number, of?: number | null) => void shown.push(`${now}/${of ?? '-'}`),
        end: (ok: boolean) => void shown.push(ok ? 'ok' : 'failed'),
      };
    },
  };
  const outcome = await applyPull(step, ports, { signal, reporter }).catch((error: unknown) => error);
  return { events, outcome, shown };
}

const whole: PullLine[] = [
  { status: 'pulling manifest' },
  { status: 'pulling a', digest, total: 100, completed: 40 },
  { status: 'pulling a', digest, total: 100, completed: 100 },
  { status: 'success' },
];

test('what was pulled is hashed, and its course is told in bytes', async () => {
  const { events, outcome, shown } = await done('add', { pulls: [whole], checks: [[]] });
  expect(events).toEqual(['pull a:latest', 'hash']);
  expect(outcome).toMatchObject({ kind: 'add', outcome: 'done', target: 'a:latest' });
  expect(shown).toEqual([
    'Pulling "a:latest" 100',
    '0/100',
    '40/100',
    '100/100',
    '100/100',
    'ok',
    'Checking "a:latest" 100',
    'ok',
  ]);
});

test('what an update writes over is saved before the pull begins', async () => {
  const { events, outcome } = await done('update', { pulls: [whole], checks: [[]] });
  expect(events).toEqual(['save', 'pull a:latest', 'hash']);
  expect(outcome).toMatchObject({ kind: 'update', because: expect.stringContaining('b0007') });
});

test('what can not be saved is not pulled over', async () => {
  const { events, outcome } = await done('update', { pulls: [whole], checks: [[]], saveFails: true });
  expect(events).toEqual(['save']);
  expect(outcome).toBeInstanceOf(Error);
});

test('a blob that came damaged is set aside and pulled once more', async () => {
  const { events, outcome } = await done('add', {
    pulls: [whole, whole],
    checks: [[damagedBlob], [damagedBlob], []],
  });
  expect(events).toEqual(['pull a:latest', 'hash', 'mend 1', 'hash', 'pull a:latest', 'hash']);
  expect(outcome).toMatchObject({ outcome: 'done' });
});

test('a damaged blob that the vault has right is not pulled once more', async () => {
  const { events, outcome } = await done('add', { pulls: [whole], checks: [[damagedBlob], []] });
  expect(events).toEqual(['pull a:latest', 'hash', 'mend 1', 'hash']);
  expect(outcome).toMatchObject({ outcome: 'done' });
});

test('what comes damaged twice ends with 7, and its blob is named and not left under its name', async () => {
  const { events, outcome } = await done('add', {
    pulls: [whole, whole],
    checks: Array.from({ length: 4 }, () => [damagedBlob]),
  });
  expect(events.slice(-3)).toEqual(['hash', 'mend 1', 'hash']);
  expect(outcome).toMatchObject({ code: 'verification', message: expect.stringContaining('aaaa') });
});

test('a blob that Ollama would take for whole is set aside before the pull', async () => {
  const cut = [{ ...blob, size: 0 }];
  const { events } = await done('add', { pulls: [whole], checks: [[]] }, cut);
  expect(events).toEqual(['set aside 1', 'pull a:latest', 'hash']);
});

test('what is up to date is kept, and hashed unless it was before', async () => {
  const known = await done('keep', { pulls: [], checks: [], proven: true });
  expect(known.events).toEqual([]);
  const unknown = await done('keep', { pulls: [], checks: [[]] });
  expect(unknown.events).toEqual(['hash']);
  for (const { outcome } of [known, unknown]) expect(outcome).toMatchObject({ outcome: 'kept' });
});

test('what is up to date by its names, and damaged, is mended, from the vault or else by a pull', async () => {
  const held = await done('keep', { pulls: [], checks: [[damagedBlob], []] });
  expect(held.events).toEqual(['hash', 'mend 1', 'hash']);
  const pulled = await done('keep', { pulls: [whole], checks: [[damagedBlob], [damagedBlob], []] });
  expect(pulled.events).toEqual(['hash', 'mend 1', 'hash', 'pull a:latest', 'hash']);
  for (const { outcome } of [held, pulled]) {
    expect(outcome).toMatchObject({
      kind: 'add',
      outcome: 'done',
      because: expect.stringContaining('damaged'),
    });
  }
});

test('what Ollama refuses is the outcome, and nothing is hashed', async () => {
  const pullFails = new Error('unauthorized');
  const { events, outcome, shown } = await done('add', { pulls: [], checks: [], pullFails });
  expect(events).toEqual(['pull a:latest']);
  expect(outcome).toBe(pullFails);
  expect(shown.at(-1)).toBe('failed');
});

test('a name that its registry does not have is told before anything is done', async () => {
  const registry = (remote: RemoteModel) => ({ look: async () => remote }) as unknown as Registry;
  const store = { manifests: async () => [], blobs: async () => new Map() };
  const options = { insecure: false, signal };
  const absent = registry({ kind: 'absent', why: 'none there' });
  await expect(observePull(parseOllamaName('a'), { store, registry: absent }, options)).rejects.toMatchObject(
    { code: 'notFound' },
  );
  const manifest: OllamaManifest = { config: null, layers: [blob] };
  const found = registry({ kind: 'found', manifest, content: Buffer.of(), insecure: true });
  expect(await observePull(parseOllamaName('a'), { store, registry: found }, options)).toMatchObject({
    installed: undefined,
    remote: { insecure: true },
  });
});
