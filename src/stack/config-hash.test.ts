import { expect, test } from 'vitest';
import { configHash } from './container-spec.ts';
import type { ServiceDefinition } from './definition/types.ts';
import { boundVolume, network, service, stack, volume } from './test-stack.ts';

const base: Partial<ServiceDefinition> = {
  environment: new Map([
    ['A', '1'],
    ['B', '2'],
  ]),
  mounts: [
    { kind: 'bind', source: '/s/run.sh', target: '/run.sh', readOnly: true, createSource: false },
    { kind: 'volume', source: 'data', target: '/data', readOnly: false, noCopy: false },
  ],
  ports: [{ hostIp: '127.0.0.1', published: '8080', target: 80, protocol: 'tcp' }],
  healthcheck: { test: ['CMD', 'true'], interval: 1000 },
  resources: { memory: 1000 },
  ulimits: new Map([['nofile', { soft: 1, hard: 2 }]]),
};

interface Surroundings {
  readonly imageId?: string;
  readonly scripts?: ReadonlyMap<string, string>;
  readonly volumeName?: string;
  readonly networkName?: string;
}

function hash(own: Partial<ServiceDefinition> = {}, around: Surroundings = {}): string {
  const one = service('web', { ...base, ...own });
  const definition = stack([one], {
    volumes: [volume('data', { name: around.volumeName ?? 'data' })],
    networks: [network('default', { name: around.networkName ?? 'aixcl_default' })],
  });
  const scripts = around.scripts ?? new Map([['/s/run.sh', 'aaaa']]);
  return configHash(definition, one, around.imageId ?? 'sha256:1', scripts);
}

test.each<[string, Partial<ServiceDefinition>]>([
  ['labels', { labels: new Map([['a', 'b']]) }],
  ["the image's name (its id counts)", { image: 'mirror/web:1' }],
  ['build', { build: { context: '/x', dockerfile: 'Dockerfile', args: new Map() } }],
  ['profiles', { profiles: ['webui'] }],
  [
    'dependencies',
    { dependsOn: new Map([['db', { condition: 'service_started', required: true, restart: false }]]) },
  ],
  ['the pull policy', { pullPolicy: 'always' }],
  ["the container's name", { containerName: 'other' }],
  [
    'the order of the environment',
    {
      environment: new Map([
        ['B', '2'],
        ['A', '1'],
      ]),
    },
  ],
  ['the order of keys', { healthcheck: { interval: 1000, test: ['CMD', 'true'] } }],
])('%s is no drift', (_what, own) => {
  expect(hash(own)).toBe(hash());
});

test.each<[string, Partial<ServiceDefinition>]>([
  ['a command', { command: ['a'] }],
  ['an entrypoint', { entrypoint: ['a'] }],
  ['the order of a command', { command: ['b', 'a'] }],
  [
    'an environment variable',
    {
      environment: new Map([
        ['A', '1'],
        ['B', '3'],
      ]),
    },
  ],
  ['a port', { ports: [{ hostIp: '127.0.0.1', published: '8081', target: 80, protocol: 'tcp' }] }],
  [
    'the address of a port',
    { ports: [{ hostIp: '0.0.0.0', published: '8080', target: 80, protocol: 'tcp' }] },
  ],
  ['a mount', { mounts: [] }],
  ['a health check', { healthcheck: { test: ['CMD', 'true'], interval: 2000 } }],
  ['a restart policy', { restart: { name: 'always' } }],
  ['init', { init: true }],
  ['a user', { user: '1:1' }],
  ['a group', { groupAdd: ['video'] }],
  ['a working directory', { workingDir: '/x' }],
  ['a host name', { hostname: 'x' }],
  ['an extra host', { extraHosts: ['a:1.2.3.4'] }],
  ['an added capability', { capAdd: ['KILL'] }],
  ['a dropped capability', { capDrop: ['KILL'] }],
  ['a security option', { securityOpt: ['no-new-privileges:true'] }],
  ['read-only', { readOnly: true }],
  ['privileged', { privileged: true }],
  ['a device', { devices: ['/dev/kfd:/dev/kfd:rwm'] }],
  ['a GPU', { deviceRequests: [{ count: -1, capabilities: ['gpu'] }] }],
  ['a runtime', { runtime: 'nvidia' }],
  ['shared memory', { shmSize: 1 }],
  ['a limit', { ulimits: new Map([['nofile', { soft: 1, hard: 3 }]]) }],
  ['memory', { resources: { memory: 2000 } }],
  ['a stop signal', { stopSignal: 'SIGINT' }],
  ['a grace period', { stopGracePeriod: 1 }],
  ['logging', { logging: { options: new Map([['max-size', '1m']]) } }],
  ['a network mode', { networks: new Map(), networkMode: 'host' }],
  ['an alias', { networks: new Map([['default', { aliases: ['x'] }]]) }],
  ['an address', { networks: new Map([['default', { aliases: [], ipv4Address: '10.0.0.9' }]]) }],
  ['a platform', { platform: 'linux/arm64' }],
])('%s is drift', (_what, own) => {
  expect(hash(own)).not.toBe(hash());
});

test.each<[string, Surroundings]>([
  ['another image id', { imageId: 'sha256:2' }],
  ['a changed script', { scripts: new Map([['/s/run.sh', 'bbbb']]) }],
  ['a script that became a folder', { scripts: new Map() }],
  ['another name of a volume', { volumeName: 'other' }],
  ['another name of a network', { networkName: 'other' }],
])('%s is drift', (_what, around) => {
  expect(hash({}, around)).not.toBe(hash());
});

test('a file that is not mounted is no drift', () => {
  expect(
    hash(
      {},
      {
        scripts: new Map([
          ['/s/run.sh', 'aaaa'],
          ['/s/other.sh', 'x'],
        ]),
      },
    ),
  ).toBe(hash());
});

test('what a volume is a name for is no drift: the container mounts the name', () => {
  const one = service('web', base);
  const of = (folder: string) =>
    configHash(stack([one], { volumes: [boundVolume('data', folder)] }), one, 'sha256:1', new Map());
  expect(of('/a')).toBe(of('/b'));
});

test('the hash is the same from run to run', () => {
  expect(hash()).toMatch(/^[0-9a-f]{64}$/);
  expect(hash()).toBe(hash());
});
