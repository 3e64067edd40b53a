import { expect, test } from 'vitest';
import { withoutVolume } from './forget-volume.ts';
import { type HomeOverlay, withFolder } from './home-overlay.ts';

const overlay: HomeOverlay = {
  services: {
    ollama: { volumes: [{ type: 'volume', source: 'mine', target: '/root/.ollama' }] },
    other: { profiles: ['left-out'], volumes: [{ type: 'bind', source: '/x', target: '/x' }] },
  },
  volumes: { mine: { name: 'mine', external: true }, ollama: { name: 'ollama', external: true } },
};

test('a volume that is gone is declared by nobody and mounted by nobody', () => {
  expect(withoutVolume(overlay, 'mine')).toEqual({
    services: { other: overlay.services?.other },
    volumes: { ollama: { name: 'ollama', external: true } },
  });
});

test('one that the overlay does not have changes nothing of it', () => {
  expect(withoutVolume(overlay, 'others')).toBe(overlay);
});

test('a name for a folder of the home stays declared', () => {
  const moved = withFolder(overlay, {
    key: 'ollama',
    name: 'aixcl-ollama',
    folder: 'ollama',
    holds: 'models',
  });
  expect(withoutVolume(moved, 'aixcl-ollama')).toBe(moved);
});
