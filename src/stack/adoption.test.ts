import { expect, test } from 'vitest';
import { type Adopted, adoptions, withAdoptedData } from './adoption.ts';
import type { ContainerSummary } from './engine.ts';
import { withAdopted, withLeftOut } from './home-overlay.ts';
import { identityOf } from './observe.ts';
import { matches } from './recreate/container-ref.ts';
import { boundVolume, composeContainer, container, service, stack } from './test-stack.ts';

const ollama = service('ollama', {
  mounts: [
    { kind: 'volume', source: 'ollama', target: '/root/.ollama', readOnly: false, noCopy: true },
    { kind: 'bind', source: '/s/run.sh', target: '/run.sh', readOnly: true, createSource: false },
  ],
});
const definition = stack([ollama], { volumes: [boundVolume('ollama', '/home/x/aixcl/ollama')] });

const isFolder = (path: string) => !path.endsWith('.sh');

function adoptedOf(mounts: ContainerSummary['mounts'], of = ollama, all = definition): Adopted | undefined {
  const matchesOf = (one: typeof ollama) => matches(identityOf(all, one), [container(of.name, { mounts })]);
  return adoptions(all, [of], { matchesOf, isFolder })[0];
}

function kept(...mounts: ContainerSummary['mounts']): string[] | undefined {
  return adoptedOf(mounts)?.mounts.map(
    (mount) => `${mount.kind} ${mount.source} at ${mount.target}${mount.readOnly ? ' read-only' : ''}`,
  );
}

test('a volume of another name is kept where the definition mounts its own', () => {
  expect(kept({ kind: 'volume', name: 'my-models', target: '/root/.ollama' })).toEqual([
    'volume my-models at /root/.ollama',
  ]);
});

test('an anonymous volume is kept by its name', () => {
  expect(kept({ kind: 'volume', name: 'f00d', source: '/var/x', target: '/root/.ollama' })).toEqual([
    'volume f00d at /root/.ollama',
  ]);
});

test('a folder is kept where the definition mounts a volume', () => {
  expect(kept({ kind: 'bind', source: '/data', target: '/root/.ollama' })).toEqual([
    'bind /data at /root/.ollama',
  ]);
});

test('what lies where the definition mounts nothing is kept', () => {
  expect(kept({ kind: 'volume', name: 'extra', target: '/extra' })).toEqual(['volume extra at /extra']);
});

test('nothing is to be recorded where the definition mounts the same volume, or a file of its own', () => {
  expect(kept()).toBeUndefined();
  expect(kept({ kind: 'volume', name: 'ollama', target: '/root/.ollama' })).toBeUndefined();
  expect(kept({ kind: 'bind', source: '/else.sh', target: '/run.sh' })).toBeUndefined();
  expect(kept({ kind: 'tmpfs', target: '/tmp' })).toBeUndefined();
});

test('what was mounted read-only stays so', () => {
  const mounts = [{ kind: 'bind', source: '/etc/ssl', target: '/extra', readOnly: true }];
  expect(kept(...mounts)).toEqual(['bind /etc/ssl at /extra read-only']);
  expect(withAdopted({}, [adoptedOf(mounts)!]).services?.ollama?.volumes).toEqual([
    {
      type: 'bind',
      source: '/etc/ssl',
      target: '/extra',
      read_only: true,
      bind: { create_host_path: false },
    },
  ]);
});

test('data in place of a folder that the definition binds is refused, never dropped', () => {
  const server = service('llama-server', {
    mounts: [
      {
        kind: 'bind',
        source: '/home/x/aixcl/models',
        target: '/models',
        readOnly: false,
        createSource: false,
      },
    ],
  });
  const all = stack([server]);
  const adopt = (mount: ContainerSummary['mounts'][number]) => adoptedOf([mount], server, all);
  expect(() => adopt({ kind: 'volume', name: 'mine', target: '/models' })).toThrow('the volume mine');
  expect(() => adopt({ kind: 'bind', source: '/data', target: '/models' })).toThrow('/data');
  expect(adopt({ kind: 'bind', source: '/home/x/aixcl/models', target: '/models' })).toBeUndefined();
});

test('the definition mounts what was adopted in place of its own', () => {
  const adopted = adoptedOf([{ kind: 'volume', name: 'my-models', target: '/root/.ollama' }])!;
  const merged = withAdoptedData(definition, [adopted]);
  expect(merged.services.get('ollama')?.mounts.map(({ target }) => target)).toEqual([
    '/run.sh',
    '/root/.ollama',
  ]);
  expect(merged.volumes.get('my-models')).toMatchObject({ name: 'my-models', external: true });
});

test('kept volumes are external, so that nobody makes them anew', () => {
  const mounts = [{ kind: 'volume', name: 'my-models', target: '/root/.ollama' }];
  const adopted = adoptedOf(mounts)!;
  expect(withAdopted({}, [adopted])).toEqual({
    services: { ollama: { volumes: [{ type: 'volume', source: 'my-models', target: '/root/.ollama' }] } },
    volumes: { 'my-models': { name: 'my-models', external: true } },
  });
});

test('a kept folder is never made by the engine', () => {
  const mounts = [{ kind: 'bind', source: '/data', target: '/root/.ollama' }];
  const adopted = adoptedOf(mounts)!;
  expect(withAdopted({}, [adopted]).services).toEqual({
    ollama: {
      volumes: [
        { type: 'bind', source: '/data', target: '/root/.ollama', bind: { create_host_path: false } },
      ],
    },
  });
});

test('only what bears our name unlabelled, and alone, is taken over', () => {
  const mounts = [{ kind: 'volume', name: 'my-models', target: '/root/.ollama' }];
  const adopted = (...containers: ContainerSummary[]) =>
    adoptions(definition, [ollama], {
      matchesOf: (one) => matches(identityOf(definition, one), containers),
      isFolder,
    }).length;
  expect(adopted(container('ollama', { mounts }))).toBe(1);
  expect(adopted(composeContainer(definition, ollama, { mounts }))).toBe(0);
  expect(adopted(container('x_ollama', { mounts }))).toBe(0);
  const two = ['a9f302029b81_ollama', 'b9f302029b81_ollama'].map((name) => container(name, { mounts }));
  expect(adopted(...two)).toBe(0);
});

test('adopting keeps what the overlay said before', () => {
  const before = withLeftOut({}, ['ollama', 'open-webui'], []);
  const after = withAdopted(before, [{ service: 'ollama', mounts: [], volumes: [] }]);
  expect(after.services).toEqual({
    ollama: { profiles: ['left-out'], volumes: [] },
    'open-webui': { profiles: ['left-out'] },
  });
});

test('a service that was left out and is back leaves no trace, but for what it adopted', () => {
  const left = withLeftOut({}, ['a', 'b'], []);
  expect(withLeftOut(left, [], ['a', 'b', 'never'])).toEqual({ services: {} });
  const adopted = withAdopted(left, [
    {
      service: 'a',
      mounts: [{ kind: 'volume', source: 'v', target: '/x', readOnly: false, noCopy: false }],
      volumes: [],
    },
  ]);
  expect(withLeftOut(adopted, ['c'], ['a']).services).toEqual({
    a: { volumes: [{ type: 'volume', source: 'v', target: '/x' }] },
    b: { profiles: ['left-out'] },
    c: { profiles: ['left-out'] },
  });
});
