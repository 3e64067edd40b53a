import { expect, test } from 'vitest';
import type { ContainerSpec, MountSpec } from '../../stack/engine.ts';
import { createOptions } from './create-options.ts';

/** What can't be seen on the engines of test/engine: relabelling needs a host with SELinux, a platform an image of another one. */
function optionsOf(own: Partial<ContainerSpec>) {
  return createOptions('web', {
    image: 'x',
    environment: new Map(),
    labels: {},
    ports: [],
    mounts: [],
    networks: [],
    groupAdd: [],
    extraHosts: [],
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    devices: [],
    deviceRequests: [],
    ulimits: new Map(),
    resources: {},
    ...own,
  });
}

const bind = (own: Partial<Extract<MountSpec, { kind: 'bind' }>>): MountSpec => ({
  kind: 'bind',
  source: '/s',
  target: '/t',
  readOnly: false,
  createSource: false,
  ...own,
});

test('a bind is strict, unless the engine has to relabel or make its source', () => {
  const { HostConfig } = optionsOf({
    mounts: [
      bind({ readOnly: true, propagation: 'rslave' }),
      bind({ target: '/z', selinux: 'z' }),
      bind({ target: '/made', createSource: true, readOnly: true, propagation: 'rshared' }),
    ],
  });
  expect(HostConfig?.Mounts).toEqual([
    { Type: 'bind', Source: '/s', Target: '/t', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
  ]);
  expect(HostConfig?.Binds).toEqual(['/s:/z:rw,z', '/s:/made:ro,rshared']);
});

test('what a definition does not say is left to the engine', () => {
  const { HostConfig, ...options } = optionsOf({});
  for (const key of [
    'Entrypoint',
    'Cmd',
    'User',
    'WorkingDir',
    'Hostname',
    'StopSignal',
    'StopTimeout',
    'Healthcheck',
  ])
    expect(options).not.toHaveProperty(key);
  for (const key of [
    'Init',
    'RestartPolicy',
    'ReadonlyRootfs',
    'Privileged',
    'Runtime',
    'ShmSize',
    'Memory',
    'LogConfig',
  ])
    expect(HostConfig).not.toHaveProperty(key);
});

test('platform, runtime, privilege, start interval and ports of a range go as they are written', () => {
  const options = optionsOf({
    platform: 'linux/arm64',
    runtime: 'nvidia',
    privileged: true,
    healthcheck: { test: ['NONE'], startInterval: 250 },
    ports: [{ hostIp: '::1', published: '8000-8010', target: 80, protocol: 'tcp' }],
  });
  expect(options).toMatchObject({
    platform: 'linux/arm64',
    Healthcheck: { Test: ['NONE'], StartInterval: 250_000_000 },
    HostConfig: {
      Runtime: 'nvidia',
      Privileged: true,
      PortBindings: { '80/tcp': [{ HostIp: '::1', HostPort: '8000-8010' }] },
    },
  });
});
