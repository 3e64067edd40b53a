import { expect, test } from 'vitest';
import type { Paint } from '../../context.ts';
import type { ActivationReport, StatusReport } from './status.ts';
import { statusText } from './status-text.ts';

const same = (text: string) => text;
const paint: Paint = { bold: same, dim: same, good: same, warn: same, bad: same, tint: same };

const server = {
  service: 'llama-server',
  container: 'llama-server',
  id: 'c1',
  state: 'running',
  health: 'healthy',
  matchedBy: 'labels',
  image: 'llama:1',
  ports: [],
  status: 'Up 2 minutes (healthy)',
  condition: null,
} as const;

function textOf(
  activation: Partial<ActivationReport>,
  own: Partial<Pick<StatusReport, 'activeModel' | 'volumes' | 'neverBackedUp' | 'vaultSharesDisk'>> & {
    running?: boolean;
  } = {},
): string {
  const { activeModel = 'a.gguf', running = true, volumes = [] } = own;
  const { neverBackedUp = null, vaultSharesDisk = null } = own;
  const report: StatusReport = {
    project: 'aixcl',
    home: '/home/x/aixcl',
    services: [{ ...server, state: running ? 'running' : 'exited' }],
    activeModel,
    activation: { phase: 'ready', result: null, want: null, reason: null, asked: null, ...activation },
    leftOut: [],
    gpu: { host: null, given: null },
    volumes,
    neverBackedUp,
    vaultSharesDisk,
  };
  return statusText(report, undefined, paint);
}

test.each(['reverted', 'refused'])('a wish that was %s is told with its model and the reason', (result) => {
  const text = textOf({ result, want: 'b.gguf', reason: 'no: memory' });
  expect(text).toContain('Active model: a.gguf\nLast wish not fulfilled: b.gguf: no: memory');
});

test('a reason that is no refusal is not told as one', () => {
  for (const result of [null, 'pending', 'applied']) {
    const text = textOf({ result, reason: 'current.gguf: it is a file, not a link' });
    expect(text).not.toContain('Last wish');
    expect(text).toContain('Active model: a.gguf\nNote: current.gguf: it is a file, not a link');
  }
});

test('a stack that waits for a model says so once', () => {
  const reason =
    'no model to serve yet: aixcl models add FILE.gguf, or put a .gguf file into the models directory';
  const text = textOf({ phase: 'waiting', reason }, { activeModel: null });
  expect(text.match(/models add/g)).toHaveLength(1);
  expect(text).toContain('Active model: none; llama-server waits for a model (aixcl models add FILE.gguf)');
});

test('where there are models and none of them loads, it does not say that it waits for one', () => {
  const text = textOf({ phase: 'failed', reason: 'could not load a.gguf' }, { activeModel: null });
  expect(text).toContain('Active model: none; nothing loads: could not load a.gguf');
  expect(text).not.toContain('waits for a model');
});

test('what was asked for while llama-server is stopped is told', () => {
  expect(textOf({ asked: 'b.gguf' }, { running: false })).toContain(
    'Asked for: b.gguf, to be proven when llama-server starts',
  );
});

const own = { exists: true, gone: false, lostFolder: null, hides: null, lastBackup: null };

test('a precious volume that nothing holds is shouted about, with a command that holds it again', () => {
  const volume = { ...own, name: 'ollama', holds: 'models', heldBy: null } as const;
  const shout = textOf({}, { volumes: [volume] });
  expect(shout).toContain('DANGER: the volume ollama (models) is held by nothing');
  expect(shout).toContain('aixcl doctor --fix');
  expect(textOf({}, { volumes: [{ ...volume, holds: 'disposable' }] })).not.toContain('DANGER');
  expect(textOf({}, { volumes: [{ ...volume, exists: false }] })).not.toContain('DANGER');
});

test('one that only a running container holds is warned of; the guard or a folder is enough', () => {
  const volume = { ...own, name: 'data', holds: 'unknown' } as const;
  const of = (heldBy: string) => textOf({}, { volumes: [{ ...volume, heldBy }] });
  expect(of('running container web')).toContain(
    'WARNING: the volume data (nobody knows what is in it) is held by the running container web alone',
  );
  for (const heldBy of ['guard aixcl-guard', 'folder /x']) expect(of(heldBy)).not.toMatch(/WARNING|DANGER/);
});

test('a volume in the place of a folder that this home has things in is told, with what takes it away', () => {
  const volume = { ...own, name: 'ollama', holds: 'models', heldBy: null, hides: '/home/x' } as const;
  const text = textOf({}, { volumes: [volume] });
  expect(text).toContain('WARNING: the volume ollama hides /home/x');
  expect(text).toContain('aixcl stack clean --volumes ollama');
});

test('a volume that was there before and is gone is shouted about', () => {
  const volume = { ...own, name: 'ollama', holds: 'models', heldBy: null, exists: false } as const;
  expect(textOf({}, { volumes: [{ ...volume, gone: true }] })).toContain('GONE: the volume ollama (models)');
  expect(textOf({}, { volumes: [volume] })).not.toContain('GONE');
});

test('a name for a folder that is not there is told apart from one that nothing holds', () => {
  const volume = { ...own, name: 'ollama', holds: 'models', heldBy: null, lostFolder: '/disk/x' } as const;
  const text = textOf({}, { volumes: [volume] });
  expect(text).toContain('WARNING: the volume ollama is a name for /disk/x, which is not there');
  expect(text).not.toMatch(/DANGER|NOTHING/);
});

test('models that no backup holds are named, the first of many', () => {
  expect(textOf({}, { neverBackedUp: ['a', 'b', 'c', 'd', 'e'] })).toContain(
    'Never backed up: a, b, c and 2 more. To do so: aixcl backups create',
  );
  expect(textOf({}, { neverBackedUp: ['a'] })).toContain('Never backed up: a. To do so');
  expect(textOf({}, { neverBackedUp: [] })).not.toContain('Never');
});

test('a vault on the disk of the models is told', () => {
  expect(textOf({}, { vaultSharesDisk: true })).toContain('on the disk of the models');
  for (const vaultSharesDisk of [false, null]) {
    expect(textOf({}, { vaultSharesDisk })).not.toContain('on the disk');
  }
});
