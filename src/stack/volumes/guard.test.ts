import { expect, test } from 'vitest';
import { labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import { matches } from '../recreate/container-ref.ts';
import { container, home, image } from '../test-stack.ts';
import { guardHolding, guardName, guardSpec, guardVariants, isSettled, planGuard } from './guard.ts';

/** A guard of this home that holds these volumes. */
function guard(volumes: readonly string[], own: Partial<ContainerSummary> = {}): ContainerSummary {
  return container(guardName, {
    labels: { [labels.home]: home, [labels.guard]: volumes.join(',') },
    mounts: volumes.map((name) => ({ kind: 'volume', name, target: `/held/${name}`, readOnly: true })),
    ...own,
  });
}

/** The plan as text: what stays, then what goes. */
function planned(
  containers: readonly ContainerSummary[],
  hold: readonly string[],
  letGo: readonly string[] = [],
) {
  const { stays, start, remove, rename } = planGuard(containers, { home, hold, letGo });
  const kept = stays && ('guard' in stays ? stays.guard.name : `new(${stays.volumes.join(',')})`);
  return [
    kept ?? 'none',
    ...(start ? ['start'] : []),
    ...(remove.length > 0 ? [`remove ${remove.map(({ name }) => name).join(',')}`] : []),
    ...(rename ? ['rename'] : []),
  ].join('; ');
}

test('without a volume to hold there is nothing to do', () => {
  expect(planned([], [])).toBe('none');
  expect(isSettled(planGuard([], { home, hold: [] }))).toBe(true);
});

test('a volume that nothing holds gets a guard; one that a running guard holds needs nothing', () => {
  expect(planned([], ['v'])).toBe('new(v); rename');
  expect(planned([guard(['v', 'w'])], ['v'])).toBe('aixcl-guard');
  expect(isSettled(planGuard([guard(['v'])], { home, hold: ['v'] }))).toBe(true);
});

test('a further volume gets a guard that holds the others too, and the one before goes afterwards', () => {
  expect(planned([guard(['v'])], ['w'])).toBe('new(v,w); remove aixcl-guard; rename');
});

test('one that was stopped by hand is started again, whatever is asked for', () => {
  expect(planned([guard(['v'], { state: 'exited' })], [])).toBe('aixcl-guard; start');
});

test('what a killed change left is settled: the guard that holds all stays, under its name', () => {
  const fresh = guard(['v', 'w'], { name: 'aixcl-guard-1' });
  expect(planned([guard(['v']), fresh], ['w'])).toBe('aixcl-guard-1; remove aixcl-guard; rename');
  expect(planned([fresh], [])).toBe('aixcl-guard-1; rename');
  expect(planned([guard(['v']), { ...fresh, state: 'created' }], [])).toBe(
    'aixcl-guard-1; start; remove aixcl-guard; rename',
  );
  const lesser = guard(['w'], { name: 'aixcl-guard-2' });
  expect(planned([guard(['v']), lesser], [])).toBe('new(v,w); remove aixcl-guard,aixcl-guard-2; rename');
});

test('what is let go is held no longer, the others are; with none left the guard goes', () => {
  expect(planned([guard(['v', 'w'])], [], ['v'])).toBe('new(w); remove aixcl-guard; rename');
  expect(planned([guard(['v'])], [], ['v'])).toBe('none; remove aixcl-guard');
});

test('what is only called like a guard is none: it stays, and keeps its name', () => {
  const other = container(guardName);
  expect(planned([other], ['v'])).toBe('new(v)');
  expect(guardHolding([{ ...other, mounts: guard(['v']).mounts }], 'v')).toBeUndefined();
  expect(planned([guard(['v'], { labels: { [labels.home]: '/other', [labels.guard]: 'v' } })], [])).toBe(
    'none',
  );
});

test('a guard holds while it runs', () => {
  expect(guardHolding([guard(['v'])], 'v')?.name).toBe(guardName);
  expect(guardHolding([guard(['v'])], 'w')).toBeUndefined();
  expect(guardHolding([guard(['v'], { state: 'exited' })], 'v')).toBeUndefined();
});

test('a guard is no service, whatever a service is called', () => {
  expect(matches({ project: 'aixcl', service: 'x', containerName: guardName }, [guard(['v'])])).toEqual([]);
});

test('a guard can do nothing, and has no label by which Compose would know it', () => {
  const built = { ...image('x:1'), labels: { 'com.docker.compose.project': 'aixcl', other: 'y' } };
  const spec = guardSpec(home, ['v', 'w'], built, guardVariants[0]!);
  expect(spec).toMatchObject({
    networkMode: 'none',
    networks: [],
    capAdd: [],
    capDrop: ['ALL'],
    readOnly: true,
    restart: { name: 'always' },
    init: true,
    labels: { [labels.home]: home, [labels.guard]: 'v,w', 'com.docker.compose.project': '' },
  });
  expect(spec.mounts).toEqual(
    ['v', 'w'].map((name) => ({
      kind: 'volume',
      name,
      target: `/held/${name}`,
      readOnly: true,
      noCopy: true,
    })),
  );
});
