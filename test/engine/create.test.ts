import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MountSpec } from '../../src/stack/engine.ts';
import { freePort } from '../setup/engine-test.ts';
import {
  describeBothEngines,
  networkOf,
  newName,
  run,
  scriptOf,
  specOf,
  type UnderTest,
} from './both-engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'aixcl-create-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bind = (source: string, own: Partial<Extract<MountSpec, { kind: 'bind' }>> = {}): MountSpec => ({
  kind: 'bind',
  source,
  target: '/here',
  readOnly: false,
  createSource: false,
  ...own,
});

describeBothEngines('createContainer', (given) => {
  test('gives a container every field of its spec', async () => {
    const { port, api } = given();
    const id = await port.createContainer(
      newName(),
      specOf({
        entrypoint: ['sh', '-c'],
        command: ['sleep 5', 'a b'],
        environment: new Map([
          ['A', '1=2'],
          ['EMPTY', ''],
        ]),
        labels: { x: 'y', 'io.aixcl.home': '/h' },
        init: true,
        user: '1000:1000',
        groupAdd: ['44', 'video'],
        workingDir: '/tmp',
        hostname: 'me',
        extraHosts: ['nas:10.1.2.3'],
        capAdd: ['KILL'],
        capDrop: ['ALL'],
        securityOpt: ['no-new-privileges:true'],
        readOnly: true,
        devices: ['/dev/null:/dev/nothing:rw', '/dev/zero'],
        shmSize: 67_108_864,
        ulimits: new Map([['nofile', { soft: 1024, hard: 2048 }]]),
        resources: { memory: 134_217_728, cpus: 1.5, pids: 50, memoryReservation: 67_108_864 },
        restart: { name: 'on-failure', maximumRetryCount: 3 },
        stopSignal: 'SIGINT',
        stopGracePeriod: 2500,
        logging: { driver: 'json-file', options: new Map([['max-size', '1m']]) },
      }),
    );
    const { Config, HostConfig } = await api.getContainer(id).inspect();
    expect(Config).toMatchObject({
      Entrypoint: ['sh', '-c'],
      Cmd: ['sleep 5', 'a b'],
      Env: expect.arrayContaining(['A=1=2', 'EMPTY=']),
      Labels: { x: 'y', 'io.aixcl.home': '/h' },
      User: '1000:1000',
      WorkingDir: '/tmp',
      Hostname: 'me',
      StopSignal: 'SIGINT',
      StopTimeout: 3,
    });
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      Init: true,
      GroupAdd: ['44', 'video'],
      ExtraHosts: ['nas:10.1.2.3'],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      Privileged: false,
      Devices: [
        { PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rw' },
        { PathOnHost: '/dev/zero', PathInContainer: '/dev/zero', CgroupPermissions: 'rwm' },
      ],
      ShmSize: 67_108_864,
      Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
      Memory: 134_217_728,
      NanoCpus: 1_500_000_000,
      PidsLimit: 50,
      MemoryReservation: 67_108_864,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    });
    // A current engine writes CAP_KILL.
    expect(HostConfig.CapAdd?.map((name: string) => name.replace('CAP_', ''))).toEqual(['KILL']);
  });

  test('gives a health check its times', async () => {
    const { port, api } = given();
    const healthcheck = {
      test: ['CMD', 'true'],
      interval: 1500,
      timeout: 2000,
      startPeriod: 3000,
      retries: 4,
    };
    const id = await port.createContainer(newName(), specOf({ healthcheck }));
    expect((await api.getContainer(id).inspect()).Config.Healthcheck).toMatchObject({
      Test: ['CMD', 'true'],
      Interval: 1.5e9,
      Timeout: 2e9,
      StartPeriod: 3e9,
      Retries: 4,
    });
  });

  test('asks for GPUs, all or by id', async () => {
    const { port, api } = given();
    const deviceRequests = [
      { driver: 'nvidia', count: -1, capabilities: ['gpu'] },
      { driver: 'nvidia', deviceIds: ['0', '3'], capabilities: ['gpu', 'compute'] },
    ];
    const id = await port.createContainer(newName(), specOf({ deviceRequests }));
    expect((await api.getContainer(id).inspect()).HostConfig.DeviceRequests).toMatchObject([
      { Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] },
      { Driver: 'nvidia', Count: 0, DeviceIDs: ['0', '3'], Capabilities: [['gpu', 'compute']] },
    ]);
  });

  test('refuses a bind source that is not there, and no folder appears', async () => {
    const { port } = given();
    const missing = join(folder, 'typo');
    const created = port.createContainer(newName(), specOf({ mounts: [bind(missing)] }));
    await expect(created).rejects.toMatchObject({ message: expect.stringContaining(missing) });
    expect(existsSync(missing)).toBe(false);
  });

  test('lets the engine make a bind source only where the definition says so', async () => {
    const source = join(folder, newName());
    await run(given(), specOf({ mounts: [bind(source, { createSource: true, readOnly: true })] }));
    expect(existsSync(source)).toBe(true);
  });

  test('mounts folders, files, volumes and tmpfs as they are asked for', async () => {
    const under = given();
    writeFileSync(join(folder, 'file'), 'content');
    const volume = newName();
    const mounts: MountSpec[] = [
      bind(folder),
      bind(join(folder, 'file'), { target: '/file', readOnly: true }),
      bind(folder, { target: '/with-source', createSource: true, readOnly: true, propagation: 'rprivate' }),
      { kind: 'volume', name: volume, target: '/volume', readOnly: false, noCopy: true },
      { kind: 'volume', name: volume, target: '/read', readOnly: true, noCopy: false },
      { kind: 'volume', target: '/anonymous', readOnly: false, noCopy: false },
      { kind: 'tmpfs', target: '/small', size: 1_048_576, mode: 0o1700 },
      { kind: 'tmpfs', target: '/raw', options: 'rw,noexec' },
    ];
    const id = await run(under, specOf({ mounts, readOnly: true }));
    const shell = async (command: string) => {
      const { output } = await under.port.exec(id, ['sh', '-c', `exec 2>/dev/null; ${command}`]);
      return output.trim();
    };
    expect(await shell('cat /here/file /file; echo x >> /file || echo refused')).toBe(
      'contentcontentrefused',
    );
    expect(await shell('echo x > /with-source/y || echo refused')).toBe('refused');
    expect(await shell('echo x > /volume/y && cat /read/y; echo x > /read/y || echo refused')).toBe(
      'x\nrefused',
    );
    expect(await shell('echo x > /anonymous/y && cat /anonymous/y')).toBe('x');
    expect(await shell('stat -c %a /small; df -k /small | tail -1')).toMatch(/^1700\n\S+ +1024 /);
    expect(await shell('grep " /raw " /proc/mounts')).toMatch(/tmpfs rw,.*noexec/);
    expect(await shell('echo x > /x || echo refused')).toBe('refused');
  });

  test('joins each network with its aliases and address, and publishes ports', async () => {
    const under = given();
    const { port, api } = under;
    const [first, second] = [newName(), newName()];
    const subnet = (n: number) => [{ subnet: `10.2${thirdOf(under)}.${n}.0/24` }];
    await port.createNetwork(networkOf(first, { ipam: subnet(1) }), {});
    await port.createNetwork(networkOf(second, { ipam: subnet(2), internal: true }), {});
    const published = await freePort();
    const id = await run(
      under,
      scriptOf('sleep 1000', {
        networks: [
          { name: first, aliases: ['web', 'www'], ipv4Address: `10.2${thirdOf(under)}.1.77` },
          { name: second, aliases: ['back'], ipv4Address: `10.2${thirdOf(under)}.2.88` },
        ],
        ports: [
          { hostIp: '127.0.0.1', published: String(published), target: 80, protocol: 'tcp' },
          { target: 53, protocol: 'udp' },
        ],
      }),
    );
    const { NetworkSettings } = await api.getContainer(id).inspect();
    const { [first]: one, [second]: two } = NetworkSettings.Networks;
    expect(one?.Aliases).toEqual(expect.arrayContaining(['web', 'www']));
    expect(one?.IPAddress).toBe(`10.2${thirdOf(under)}.1.77`);
    expect(two?.Aliases).toEqual(expect.arrayContaining(['back']));
    expect(two?.IPAddress).toBe(`10.2${thirdOf(under)}.2.88`);
    expect((await port.inspectContainer(id))?.ports).toEqual(
      expect.arrayContaining([
        { hostIp: '127.0.0.1', published, target: 80, protocol: 'tcp' },
        expect.objectContaining({ target: 53, protocol: 'udp', published: expect.any(Number) }),
      ]),
    );
  });

  test("shares another container's network", async () => {
    const under = given();
    const other = await run(under, specOf());
    const id = await run(under, specOf({ networkMode: `container:${other}` }));
    expect((await under.api.getContainer(id).inspect()).HostConfig.NetworkMode).toBe(`container:${other}`);
  });

  test('leaves nothing behind when a further network can not be joined', async () => {
    const { port } = given();
    const [name, network] = [newName(), newName()];
    await port.createNetwork(networkOf(network), {});
    // A container can't join the machine's own network beside another.
    const networks = [network, 'host'].map((each) => ({ name: each, aliases: [] }));
    await expect(port.createContainer(name, specOf({ networks }))).rejects.toMatchObject({
      code: 'unexpected',
    });
    expect((await port.listContainers()).some((container) => container.name === name)).toBe(false);
  });

  test("says in the engine's words why a name or an image is refused", async () => {
    const { port } = given();
    const name = newName();
    await port.createContainer(name, specOf());
    await expect(port.createContainer(name, specOf())).rejects.toMatchObject({
      message: expect.stringContaining('already in use'),
    });
    await expect(port.createContainer(newName(), specOf({ image: 'no/such:image' }))).rejects.toMatchObject({
      code: 'notFound',
    });
  });
});

/** Networks of two engines on one machine must not overlap. */
function thirdOf({ engine }: UnderTest): string {
  return engine.directory.includes('current') ? '46' : '47';
}
