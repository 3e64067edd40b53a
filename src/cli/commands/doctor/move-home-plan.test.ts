import { expect, test } from 'vitest';
import { labels } from '../../../labels.ts';
import type { ContainerSummary } from '../../../stack/engine.ts';
import { container, ourContainer, service, stack } from '../../../stack/test-stack.ts';
import { type ObservedMove, planMoveHome, targetOf } from './move-home-plan.ts';

const mounts = (name: string, more: object = {}) => ({
  mounts: [{ kind: 'volume', name, target: '/root/.ollama', ...more }],
});

const ollama = (state: ContainerSummary['state'], volume = 'ollama') =>
  ourContainer(stack([service('ollama')]), service('ollama'), { state, ...mounts(volume) });

function seen(own: ContainerSummary | undefined, more: Partial<ObservedMove> = {}): ObservedMove {
  return {
    volume: 'ollama',
    folder: { key: 'ollama', name: 'aixcl-ollama', folder: 'ollama', holds: 'models' },
    path: '/home/x/aixcl/ollama',
    switched: false,
    container: own && { summary: own, isOurs: true },
    containers: own ? [own] : [],
    ...more,
  };
}

const printed = (observed: ObservedMove) =>
  planMoveHome(observed)
    .map((step) => `${step.kind} ${targetOf(step)}`)
    .join(', ');

test('Ollama stands still from the last copying to where the definition names the folder, and runs again', () => {
  expect(printed(seen(ollama('running')))).toBe(
    'hold ollama, stop ollama, copy-rest ollama, switch aixcl-ollama, start ollama, keep-volume ollama',
  );
});

test('what does not run is not started; a stopped container would go on showing the volume', () => {
  expect(printed(seen(ollama('exited')))).toBe(
    'hold ollama, copy-rest ollama, switch aixcl-ollama, remove-container ollama, keep-volume ollama',
  );
  expect(printed(seen(undefined))).toBe(
    'hold ollama, copy-rest ollama, switch aixcl-ollama, keep-volume ollama',
  );
});

test('what a killed run switched already is ended: what its container wrote since is copied first', () => {
  expect(printed(seen(ollama('running'), { switched: true }))).toBe(
    'hold ollama, stop ollama, copy-rest ollama, start ollama, keep-volume ollama',
  );
});

test('a container that somebody made by hand is not made anew', () => {
  const byHand = container('ollama', { state: 'running', ...mounts('ollama') });
  const observed = seen(undefined, { container: { summary: byHand, isOurs: false }, containers: [byHand] });
  expect(() => planMoveHome(observed)).toThrow(
    expect.objectContaining({ code: 'refused', hint: expect.stringContaining('--adopt') }),
  );
});

test('nobody else may write into the volume while it is copied; who only reads it, or holds it, may run', () => {
  const own = ollama('running');
  const other = (more: Partial<ContainerSummary>) => {
    const one = container('other', { state: 'running', ...mounts('ollama'), ...more });
    return () => planMoveHome(seen(own, { containers: [own, one] }));
  };
  expect(other({})).toThrow(
    expect.objectContaining({ code: 'refused', hint: expect.stringContaining('other') }),
  );
  for (const harmless of [
    mounts('ollama', { readOnly: true }),
    mounts('my_ollama'),
    { state: 'exited' as const },
    { labels: { [labels.guard]: 'ollama' } },
  ]) {
    expect(other(harmless)).not.toThrow();
  }
});
