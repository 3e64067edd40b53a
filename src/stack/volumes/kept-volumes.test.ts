import { expect, test } from 'vitest';
import { labels } from '../../labels.ts';
import type { VolumeSummary } from '../engine.ts';
import { withExternal } from '../home-overlay.ts';
import { boundVolume, service, stack, volume } from '../test-stack.ts';
import { keptVolumes, placeOf } from './kept-volumes.ts';

const ollama = service('ollama', {
  mounts: [{ kind: 'volume', source: 'ollama', target: '/root/.ollama', readOnly: false, noCopy: true }],
});
const defined = {
  ...boundVolume('ollama', '/home/x/aixcl/ollama'),
  labels: new Map([[labels.holds, 'models']]),
};

function there(own: Partial<VolumeSummary> = {}): VolumeSummary {
  return { name: 'ollama', driver: 'local', options: {}, labels: {}, mountpoint: '/x', ...own };
}

function kept(found: VolumeSummary | undefined, definition = defined) {
  return keptVolumes(stack([ollama], { volumes: [definition] }), [ollama], {
    volumes: new Map([['ollama', found]]),
  });
}

test('a volume with its bytes inside the engine, where the definition has a folder, is kept, and what it holds is known', () => {
  expect(kept(there())).toEqual([
    { key: 'ollama', name: 'ollama', holds: 'models', place: 'inside the engine' },
  ]);
});

test('a volume that is a name for a folder, one that is not there, and one that is external need no keeping', () => {
  expect(kept(there({ options: { type: 'none', o: 'bind', device: '/home/x/aixcl/ollama' } }))).toEqual([]);
  expect(kept(undefined)).toEqual([]);
  expect(kept(there(), { ...volume('ollama', { external: true }), labels: new Map() })).toEqual([]);
});

test('where the bytes lie is not said to be the engine where a driver or options decide', () => {
  expect(placeOf(there({ driver: 'rclone' }))).toBe('where its driver rclone has them');
  expect(placeOf(there({ options: { type: 'nfs', device: ':/export' } }))).toBe('where its options say');
});

test('the overlay declares what was kept external, and leaves the rest of it as it was', () => {
  const before = {
    services: { a: { profiles: ['x'] } },
    volumes: { b: { name: 'b', external: true } },
  } as const;
  expect(withExternal(before, kept(there()))).toEqual({
    services: before.services,
    volumes: { b: before.volumes.b, ollama: { name: 'ollama', external: true, 'x-holds': 'models' } },
  });
});
