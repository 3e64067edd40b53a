import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { resolveHome } from '../../home.ts';
import { labels } from '../../labels.ts';
import type { ContainerState, ContainerSummary, MountSummary, VolumeSummary } from '../../stack/engine.ts';
import { TestEngine } from '../../stack/test-engine.ts';
import { boundVolume, container, service, stack } from '../../stack/test-stack.ts';
import { asNobody } from '../test-nobody.ts';
import { hostAddress, locateOllama } from './locate.ts';

const home = resolveHome({ AIXCL_HOME: '/home/someone/aixcl' });
const mount = {
  kind: 'volume',
  source: 'ollama',
  target: '/root/.ollama',
  readOnly: false,
  noCopy: true,
} as const;
const definition = stack([service('ollama', { containerName: 'ollama', mounts: [mount] })], {
  volumes: [boundVolume('ollama', '/home/someone/aixcl/ollama')],
});
const port = { hostIp: '127.0.0.1', published: 11434, target: 11434, protocol: 'tcp' };
const mounts = [{ kind: 'volume', name: 'ollama', source: '/var/lib/x', target: '/root/.ollama' }];
const bound = volume({ type: 'none', o: 'bind', device: '/data/ollama' });
const unreachable = new AixclError('engineUnreachable', 'it is off');

function volume(options: Readonly<Record<string, string>>, own: Partial<VolumeSummary> = {}): VolumeSummary {
  return { name: 'ollama', driver: 'local', options, labels: {}, mountpoint: '/var/lib/x', ...own };
}

function locate(
  containers: readonly ContainerSummary[],
  volumes: readonly VolumeSummary[],
  own: { env?: Record<string, string>; environment?: Record<string, string> } = {},
) {
  const engine = new TestEngine({ containers, volumes });
  const { inspectContainer } = engine;
  engine.inspectContainer = async (id) => {
    const found = await inspectContainer(id);
    return found && { ...found, environment: new Map(Object.entries(own.environment ?? {})) };
  };
  return locateOllama({ engine, definition, home, env: own.env ?? {} });
}

describe("Ollama's store", () => {
  test('is the folder that its container’s volume is a name for', async () => {
    const found = await locate([container('ollama', { mounts, ports: [port] })], [bound]);
    expect(found.location).toEqual({ kind: 'directory', models: '/data/ollama/models' });
  });

  test('is the folder that its container has bound', async () => {
    const bind = [{ kind: 'bind', source: '/srv/o', target: '/root/.ollama' }];
    const found = await locate([container('ollama', { mounts: bind })], []);
    expect(found.location).toEqual({ kind: 'directory', models: '/srv/o/models' });
  });

  test('is inside the engine for any other volume, also one whose mountpoint could be read', async () => {
    for (const other of [
      volume({}),
      volume({ type: 'nfs', device: ':/x' }),
      volume({ o: 'bind', device: '/x' }, { driver: 'sshfs' }),
    ]) {
      const own = container('ollama', { mounts, state: 'exited' });
      expect((await locate([own], [other])).location).toEqual({
        kind: 'engine',
        place: 'volume ollama',
        container: { id: own.id, running: false, models: '/root/.ollama/models' },
        mount: { kind: 'volume', name: 'ollama', below: 'models' },
      });
    }
  });

  test('follows OLLAMA_MODELS of the container, by the deepest mount', async () => {
    const both = [...mounts, { kind: 'bind', source: '/fast', target: '/models' }];
    const own = container('ollama', { mounts: both });
    const at = async (path: string) =>
      (await locate([own], [bound], { environment: { OLLAMA_MODELS: path } })).location;
    expect(await at('/models/of/ollama')).toEqual({ kind: 'directory', models: '/fast/of/ollama' });
    expect(await at('/root/.ollama/other')).toEqual({ kind: 'directory', models: '/data/ollama/other' });
    expect(await at('/modelsx')).toMatchObject({
      kind: 'engine',
      place: 'container ollama',
      mount: undefined,
    });
  });

  test('is that of the definition while there is no container, and while the engine is off', async () => {
    const there = { kind: 'directory', models: '/home/someone/aixcl/ollama/models' };
    expect((await locate([container('not-ollama', { mounts })], [])).location).toEqual(there);
    expect((await locate([], [bound])).location).toEqual({
      kind: 'directory',
      models: '/data/ollama/models',
    });
    expect((await locate([], [volume({})])).location).toMatchObject({
      kind: 'engine',
      container: undefined,
      mount: { kind: 'volume', name: 'ollama', below: 'models' },
    });
    const off = await locateOllama({ engine: unreachable, definition, home, env: {} });
    expect(off).toEqual({ location: there, container: undefined, address: undefined });
  });

  test('can not be reached inside an engine that is off, and is not taken for empty', async () => {
    const volumes = [{ ...boundVolume('ollama', ''), driverOpts: new Map(), external: true }];
    const other = stack([...definition.services.values()], { volumes });
    const { location } = await locateOllama({ engine: unreachable, definition: other, home, env: {} });
    expect(location).toEqual({ kind: 'unreachable', place: 'volume ollama', why: unreachable });
  });

  test('that this user may not read is read by way of the container', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aixcl-locate-'));
    try {
      await mkdir(join(folder, 'models'));
      await chmod(join(folder, 'models'), 0o000);
      const bind = [{ kind: 'bind', source: folder, target: '/root/.ollama' }];
      await chmod(folder, 0o755);
      await asNobody(async () => {
        const { location } = await locate([container('ollama', { mounts: bind })], []);
        expect(location).toMatchObject({
          kind: 'engine',
          mount: { kind: 'folder', path: folder, below: 'models' },
        });
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('of an interrupted recreate is found by either container; two stores are not chosen between', async () => {
    const old = container('ollama', { mounts, state: 'exited' });
    const prefixed = container(`${old.id.slice(0, 12)}_ollama`, { mounts });
    expect((await locate([old, prefixed], [bound])).container?.name).toBe('ollama');
    expect((await locate([prefixed], [bound])).container?.name).toBe(prefixed.name);
    const elsewhere: MountSummary[] = [{ kind: 'bind', source: '/y', target: '/root/.ollama' }];
    const compose = { 'com.docker.compose.project': 'aixcl', 'com.docker.compose.service': 'ollama' };
    const two = [
      container('ollama', { mounts, labels: compose, state: 'exited' }),
      container('ollama-2', { mounts: elsewhere, labels: compose }),
    ];
    await expect(locate(two, [bound])).rejects.toMatchObject({ code: 'refused' });
    const same = [two[0]!, container('ollama-2', { mounts, labels: compose })];
    expect((await locate(same, [bound])).container?.name).toBe('ollama-2');

    const before = two[0]!;
    const moved = (state: ContainerState) =>
      container(`${before.id.slice(0, 12)}_ollama`, { mounts: elsewhere, labels: compose, state });
    expect((await locate([moved('created'), before], [bound])).container).toBe(before);
    const serving = moved('running');
    expect((await locate([before, serving], [bound])).container).toBe(serving);
    await expect(locate([before, moved('exited')], [bound])).rejects.toMatchObject({ code: 'refused' });
  });

  test('of another home is refused', async () => {
    const other = container('ollama', { mounts, labels: { [labels.home]: '/other' } });
    await expect(locate([other], [bound])).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('Ollama answers', () => {
  test.each([
    ['127.0.0.1', 'http://127.0.0.1:11500'],
    ['0.0.0.0', 'http://127.0.0.1:11500'],
    ['', 'http://127.0.0.1:11500'],
    ['::', 'http://[::1]:11500'],
    ['192.168.1.5', 'http://192.168.1.5:11500'],
  ])('at the port that its container publishes: %j', async (hostIp, address) => {
    const ports = [
      { ...port, target: 9999, published: 1 },
      { ...port, hostIp, published: 11500 },
    ];
    const own = container('ollama', { mounts, ports });
    expect((await locate([own], [bound], { env: { OLLAMA_HOST: '10.0.0.1:1' } })).address).toBe(address);
  });

  test('nowhere while its container does not run, whoever listens at that port', async () => {
    const own = container('ollama', { mounts, ports: [port], state: 'exited' });
    const env = { OLLAMA_HOST: '127.0.0.1:11434' };
    expect((await locate([own], [bound], { env })).address).toBeUndefined();
    expect((await locate([], [bound])).address).toBeUndefined();
  });

  test('without a container at OLLAMA_HOST, with its models in OLLAMA_MODELS', async () => {
    const env = { OLLAMA_HOST: '127.0.0.1:7777', OLLAMA_MODELS: '/home/someone/.ollama/models' };
    expect(await locate([], [], { env })).toEqual({
      location: { kind: 'directory', models: '/home/someone/.ollama/models' },
      container: undefined,
      address: 'http://127.0.0.1:7777',
    });
  });

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:8000', 'http://127.0.0.1:8000'],
    ['box.lan:80', 'http://box.lan:80'],
    ['http://box.lan', 'http://box.lan:80'],
    ['https://box.lan', 'https://box.lan:443'],
    ['https://box.lan:9443/', 'https://box.lan:9443'],
    ['[::]:8000', 'http://[::1]:8000'],
  ])('OLLAMA_HOST=%s is %s', (text, address) => {
    expect(hostAddress(text)).toBe(address);
  });

  test('OLLAMA_HOST that is no address is an error', () => {
    expect(() => hostAddress('a b')).toThrow(AixclError);
  });
});
