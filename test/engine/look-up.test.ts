import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { VolumeDefinition } from '../../src/stack/definition/types.ts';
import { freePort, llamaImage } from '../setup/engine-test.ts';
import { describeBothEngines, networkOf, newName, run, scriptOf, specOf } from './both-engines.ts';

const volume = (name: string, options: Record<string, string> = {}): VolumeDefinition => ({
  key: 'k',
  name,
  external: false,
  driverOpts: new Map(Object.entries(options)),
  labels: new Map(),
});

describeBothEngines('looking up', (given) => {
  test('lists a container as what it is: name, image, state, ports, mounts, labels', async () => {
    const under = given();
    const [name, net, vol] = [newName(), newName(), newName()];
    await under.port.createNetwork(networkOf(net), {});
    const published = await freePort();
    const id = await run(
      under,
      specOf({
        labels: { 'io.aixcl.test-list': name },
        networks: [{ name: net, aliases: [] }],
        ports: [{ hostIp: '127.0.0.1', published: String(published), target: 80, protocol: 'tcp' }],
        mounts: [
          { kind: 'volume', name: vol, target: '/v', readOnly: false, noCopy: false },
          { kind: 'bind', source: '/etc', target: '/e', readOnly: true, createSource: false },
        ],
      }),
      name,
    );
    const image = await under.port.inspectImage(llamaImage());
    const listed = await under.port.listContainers({ 'io.aixcl.test-list': name });
    expect(listed).toEqual([
      {
        id,
        name,
        image: llamaImage(),
        imageId: image?.id,
        state: 'running',
        status: expect.stringMatching(/^Up /),
        health: 'none',
        labels: expect.objectContaining({ 'io.aixcl.test-list': name }),
        ports: [{ hostIp: '127.0.0.1', published, target: 80, protocol: 'tcp' }],
        mounts: expect.arrayContaining([
          expect.objectContaining({ kind: 'volume', name: vol, target: '/v' }),
          { kind: 'bind', source: '/etc', target: '/e', readOnly: true },
        ]),
        networkMode: net,
        networks: [net],
        created: expect.any(Number),
      },
    ]);
    expect(Math.abs(listed[0]!.created - Date.now() / 1000)).toBeLessThan(60);
    const detail = await under.port.inspectContainer(id);
    const { status: _words, mounts, ...same } = listed[0]!;
    expect(detail).toMatchObject(same);
    expect(detail?.mounts).toHaveLength(mounts.length);
    expect(detail).toMatchObject({
      exitCode: 0,
      restartCount: 0,
      hasTty: false,
      oomKilled: false,
      error: '',
    });
  });

  test('lists stopped and merely made containers too, and filters by every label that is asked for', async () => {
    const under = given();
    const mark = newName();
    const labels = { 'io.aixcl.test-mark': mark };
    const made = await under.port.createContainer(newName(), specOf({ labels: { ...labels, a: '1' } }));
    const ended = await run(under, scriptOf('exit 4', { labels: { ...labels, a: '2' } }));
    await expect.poll(async () => (await under.port.inspectContainer(ended))?.state).toBe('exited');
    const found = await under.port.listContainers(labels);
    expect(found.map(({ id, state }) => [id, state]).sort()).toEqual(
      [
        [made, 'created'],
        [ended, 'exited'],
      ].sort(),
    );
    expect(await under.port.listContainers({ ...labels, a: '1' })).toHaveLength(1);
    expect(await under.port.listContainers({ ...labels, a: '' })).toHaveLength(2);
    expect(await under.port.listContainers({ ...labels, a: '3' })).toEqual([]);
    expect(await under.port.inspectContainer(ended)).toMatchObject({ exitCode: 4 });
  });

  test('tells health in the list and in the detail, with what the check said', async () => {
    const under = given();
    for (const [code, health] of [
      [0, 'healthy'],
      [1, 'unhealthy'],
    ] as const) {
      const test_ = ['CMD-SHELL', `echo says ${code}; exit ${code}`];
      const id = await run(under, specOf({ healthcheck: { test: test_, interval: 100, retries: 1 } }));
      await expect
        .poll(async () => (await under.port.inspectContainer(id))?.health, { timeout: 10_000 })
        .toBe(health);
      const detail = await under.port.inspectContainer(id);
      expect(detail?.healthcheckTest).toEqual(test_);
      expect(detail?.healthLog.at(-1)).toEqual({ exitCode: code, output: `says ${code}\n` });
      const listed = (await under.port.listContainers()).find((one) => one.id === id);
      expect(listed?.health).toBe(health);
    }
    const waiting = await run(under, specOf({ healthcheck: { test: ['CMD', 'true'], interval: 60_000 } }));
    expect((await under.port.listContainers()).find(({ id }) => id === waiting)?.health).toBe('starting');
  });

  test('tells a restart policy, and changes it', async () => {
    const { port } = given();
    const restart = { name: 'on-failure', maximumRetryCount: 2 } as const;
    const id = await port.createContainer(newName(), specOf({ restart }));
    expect((await port.inspectContainer(id))?.restart).toEqual(restart);
    await port.setRestartPolicy(id, { name: 'no' });
    expect((await port.inspectContainer(id))?.restart).toEqual({ name: 'no' });
  });

  test('knows no container, image, network or volume that is not there; a part of a name finds none', async () => {
    const { port } = given();
    const name = newName();
    await port.createContainer(`${name}-whole`, specOf());
    await port.createNetwork(networkOf(`${name}-whole`), {});
    await port.createVolume(volume(`${name}-whole`), {});
    expect(await port.inspectContainer(name)).toBeUndefined();
    expect(await port.inspectImage(`${name}:1`)).toBeUndefined();
    expect(await port.inspectNetwork(name)).toBeUndefined();
    expect(await port.inspectVolume(name)).toBeUndefined();
  });

  test('makes networks and volumes with their labels, and finds them by these', async () => {
    const { port } = given();
    const name = newName();
    const labels = { 'io.aixcl.test-own': name };
    await port.createNetwork({ ...networkOf(name), internal: true }, labels);
    await port.createVolume(volume(name), labels);
    expect(await port.listNetworks(labels)).toEqual([{ id: expect.any(String), name, labels }]);
    expect(await port.inspectNetwork(name)).toMatchObject({ name, labels });
    const [{ id = '' } = {}] = await port.listNetworks(labels);
    // An engine finds a network by the first digits of its id too; a name may look like them.
    expect(await port.inspectNetwork(id.slice(0, 12))).toBeUndefined();
    expect(await port.listVolumes(labels)).toEqual([
      { name, driver: 'local', options: {}, labels, mountpoint: expect.stringContaining(name) },
    ]);
    expect(await port.listVolumes({ 'io.aixcl.test-own': 'other' })).toEqual([]);
  });

  test('a volume can be a name for a folder, and says so', async () => {
    const under = given();
    const folder = mkdtempSync(join(tmpdir(), 'aixcl-volume-'));
    try {
      writeFileSync(join(folder, 'model'), 'bytes');
      const name = newName();
      const options = { type: 'none', o: 'bind', device: folder };
      await under.port.createVolume(volume(name, options), {});
      expect((await under.port.inspectVolume(name))?.options).toEqual(options);
      const mounts = [{ kind: 'volume', name, target: '/v', readOnly: false, noCopy: true }] as const;
      const id = await run(under, specOf({ mounts }));
      expect((await under.port.exec(id, ['cat', '/v/model'])).output).toBe('bytes');
      await under.api.getContainer(id).remove({ force: true, v: true });
      await under.api.getVolume(name).remove({ force: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('tells what the engine is', async () => {
    const { port, api } = given();
    const { Version } = await api.version();
    const info = await port.info();
    expect(info).toMatchObject({ version: Version, rootless: false });
    expect(info.runtimes).toContain('runc');
    expect(info.dataRoot).toContain('aixcl');
    expect(info.apiVersion).toBe(Version.startsWith('20.10') ? '1.41' : '1.51');
  });
});
