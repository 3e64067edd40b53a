import { parseRestartPolicy } from '../restart-policy.ts';
import { child, entries, items, type MapNode, type Node, text, texts } from './node.ts';
import { ValueReader } from './read-value.ts';
import { buildEnvironment } from './service-environment.ts';
import { buildMounts } from './service-mounts.ts';
import { buildDependencies, buildNetworks } from './service-relations.ts';
import { buildDeviceRequests, buildLimits, buildUlimits } from './service-resources.ts';
import { absolutePath, type Setting, withoutAbsent } from './setting.ts';
import type {
  BuildDefinition,
  HealthcheckDefinition,
  PortDefinition,
  RestartPolicy,
  ServiceDefinition,
} from './types.ts';

/** A service out of its merged tree. `active`: its env files must be there. */
export function buildService(
  name: string,
  node: MapNode,
  active: boolean,
  setting: Setting,
): ServiceDefinition {
  const { problems } = setting;
  const read = new ValueReader(problems);
  const get = (key: string) => child(node, key);
  const build = buildBuild(get('build'), setting);
  if (!text(get('image')) && !build) {
    problems.add(node.at, 'neither image nor build', 'say which image to run, or what to build');
  }
  return withoutAbsent<ServiceDefinition>({
    name,
    image: text(get('image')) || `${setting.project}-${name}`,
    build,
    pullPolicy: buildPullPolicy(get('pull_policy'), read),
    platform: text(get('platform')),
    containerName: buildContainerName(name, get('container_name'), setting),
    profiles: texts(get('profiles')),
    entrypoint: read.words(get('entrypoint')),
    command: read.words(get('command')),
    environment: buildEnvironment(get('environment'), get('env_file'), active, setting),
    ports: items(get('ports')).map(buildPort),
    mounts: buildMounts(get('volumes'), get('tmpfs'), setting),
    ...buildNetworks(get('networks'), get('network_mode'), problems),
    dependsOn: buildDependencies(get('depends_on'), get('network_mode'), read),
    healthcheck: buildHealthcheck(get('healthcheck'), setting),
    labels: new Map([...entries(get('labels'))].map(([key, { value }]) => [key, text(value) ?? ''])),
    restart: buildRestart(get('restart'), setting),
    init: read.flag(get('init')),
    user: text(get('user')),
    groupAdd: texts(get('group_add')),
    workingDir: text(get('working_dir')),
    hostname: text(get('hostname')),
    extraHosts: texts(get('extra_hosts')).map((host) => host.replace('=', ':')),
    capAdd: texts(get('cap_add')),
    capDrop: texts(get('cap_drop')),
    securityOpt: buildSecurityOpt(get('security_opt'), setting),
    readOnly: read.flag(get('read_only')),
    privileged: read.flag(get('privileged')),
    devices: items(get('devices')).map(buildDevice),
    deviceRequests: buildDeviceRequests(get('gpus'), get('deploy'), setting),
    runtime: text(get('runtime')),
    shmSize: read.bytes(get('shm_size')),
    ulimits: buildUlimits(get('ulimits'), read),
    resources: buildLimits(get('deploy'), read),
    stopSignal: text(get('stop_signal')),
    stopGracePeriod: read.duration(get('stop_grace_period')),
    logging: buildLogging(get('logging')),
  });
}

function buildBuild(node: Node | undefined, setting: Setting): BuildDefinition | undefined {
  if (!node) return undefined;
  const context = text(child(node, 'context')) ?? '.';
  if (context.includes('://') || context.startsWith('git@')) {
    setting.problems.add(
      child(node, 'context')!.at,
      'building from an address is not supported',
      'name a folder',
    );
  }
  const args = new Map<string, string>();
  for (const [key, { value }] of entries(child(node, 'args'))) {
    const final = text(value) ?? setting.env[key];
    if (final !== undefined) args.set(key, final);
  }
  return withoutAbsent<BuildDefinition>({
    context: absolutePath(context, setting),
    dockerfile: text(child(node, 'dockerfile')) ?? 'Dockerfile',
    args,
    target: text(child(node, 'target')),
  });
}

function buildPullPolicy(node: Node | undefined, read: ValueReader): ServiceDefinition['pullPolicy'] {
  const policy = read.oneOf(node, ['always', 'missing', 'never', 'build', 'if_not_present']);
  return policy === 'if_not_present' ? 'missing' : policy;
}

function buildContainerName(service: string, node: Node | undefined, setting: Setting): string {
  const name = text(node);
  if (!name) return `${setting.project}-${service}-1`;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    setting.problems.add(
      node!.at,
      `"${name}" is no container name`,
      'letters, digits, and _ . - after the first',
    );
  }
  return name;
}

function buildPort(node: Node): PortDefinition {
  return withoutAbsent<PortDefinition>({
    hostIp: text(child(node, 'host_ip')),
    published: text(child(node, 'published')) || undefined,
    target: Number(text(child(node, 'target'))),
    protocol: (text(child(node, 'protocol')) ?? 'tcp') as PortDefinition['protocol'],
  });
}

function buildHealthcheck(node: Node | undefined, { problems }: Setting): HealthcheckDefinition | undefined {
  if (!node) return undefined;
  const read = new ValueReader(problems);
  const get = (key: string) => child(node, key);
  const test = get('test');
  const words = test?.kind === 'list' ? texts(test) : test ? ['CMD-SHELL', text(test) ?? ''] : undefined;
  if (words && words.length > 0 && !['NONE', 'CMD', 'CMD-SHELL'].includes(words[0]!)) {
    problems.add(test!.at, 'must begin with "CMD", "CMD-SHELL" or "NONE"');
  }
  return withoutAbsent<HealthcheckDefinition>({
    test: read.flag(get('disable')) ? ['NONE'] : words,
    interval: read.duration(get('interval')),
    timeout: read.duration(get('timeout')),
    startPeriod: read.duration(get('start_period')),
    startInterval: read.duration(get('start_interval')),
    retries: read.integer(get('retries'), 0),
  });
}

function buildRestart(node: Node | undefined, { problems }: Setting): RestartPolicy | undefined {
  const written = text(node);
  if (!written) return undefined;
  const policy = parseRestartPolicy(written);
  if (!policy)
    problems.add(node!.at, `"${written}": must be no, always, unless-stopped or on-failure[:TIMES]`);
  return policy;
}

function buildSecurityOpt(node: Node | undefined, { problems }: Setting): string[] {
  for (const item of items(node)) {
    // The engine wants the profile's content, which only its own client programs put there.
    if (/^seccomp[:=](?!unconfined$|builtin$)/.test(text(item) ?? '')) {
      problems.add(item.at, 'a seccomp profile in a file is not supported', 'seccomp:unconfined, or none');
    }
  }
  return texts(node);
}

function buildDevice(node: Node): string {
  const source = text(child(node, 'source')) ?? '';
  return [source, text(child(node, 'target')) ?? source, text(child(node, 'permissions')) ?? 'rwm'].join(':');
}

function buildLogging(node: Node | undefined): ServiceDefinition['logging'] {
  if (!node) return undefined;
  const options = new Map(
    [...entries(child(node, 'options'))].map(([key, { value }]) => [key, text(value) ?? '']),
  );
  const driver = text(child(node, 'driver'));
  return driver === undefined ? { options } : { driver, options };
}
