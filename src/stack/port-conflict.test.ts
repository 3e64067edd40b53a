import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labels } from '../labels.ts';
import type { PortDefinition } from './definition/types.ts';
import type { ContainerSummary } from './engine.ts';
import { portVariables } from './port-conflict.ts';
import { plan, planned, refusal } from './test-plan.ts';
import { container, ourContainer, service, stack } from './test-stack.ts';

const port = (own: Partial<PortDefinition> = {}): PortDefinition => ({
  hostIp: '127.0.0.1',
  published: '8080',
  target: 8080,
  protocol: 'tcp',
  ...own,
});
/** As services/compose.yaml marks its services. */
const own = { labels: new Map([[labels.home, '/home/u/aixcl']]) };
const llama = service('llama-server', { ...own, ports: [port()] });
const one = stack([llama]);
const publishing = (own: Partial<ContainerSummary['ports'][number]> = {}) => [
  { hostIp: '127.0.0.1', published: 8080, target: 80, protocol: 'tcp', ...own },
];

const byContainer = `refused: llama-server needs port 8080, and it is taken by the container web
Free it (docker stop web), or give llama-server another: LLAMA_SERVER_PORT=8081 aixcl stack start`;

test.each(['127.0.0.1', '0.0.0.0', '::', ''])(
  'a port that a container publishes on "%s" is taken',
  async (hostIp) => {
    const containers = [container('web', { ports: publishing({ hostIp }) })];
    expect(await refusal(plan(one, { containers }))).toBe(byContainer);
  },
);

test('a service on all addresses collides with a container on one', async () => {
  const definition = stack([service('llama-server', { ...own, ports: [port({ hostIp: '' })] })]);
  expect(await refusal(plan(definition, { containers: [container('web', { ports: publishing() })] }))).toBe(
    byContainer,
  );
});

test.each([
  ['stopped', { state: 'exited' as const, ports: publishing() }],
  ['on another address', { ports: publishing({ hostIp: '127.0.0.2' }) }],
  ['on another port', { ports: publishing({ published: 8081 }) }],
  ['of another protocol', { ports: publishing({ protocol: 'udp' }) }],
])('a container that is %s takes no port', async (_how, own) => {
  expect(await planned(one, { containers: [container('web', own)] })).toMatch(/^create llama-server/);
});

test('the port of the container that is replaced or taken over is its own', async () => {
  const drifted = service('llama-server', { ...llama, user: '1:1' });
  const containers = [ourContainer(stack([drifted]), drifted, { ports: publishing() })];
  expect(await planned(one, { containers })).toMatch(/^replace llama-server/);
  const byHand = [container('llama-server', { ports: publishing() })];
  expect(await planned(one, { containers: byHand, wish: { adopt: true } })).toMatch(/^adopt llama-server/);
});

test('nothing is replaced or taken over while its new port is taken', async () => {
  const before = service('llama-server', { ports: [port({ published: '9000' })] });
  const web = container('web', { ports: publishing() });
  const drifted = ourContainer(stack([before]), before);
  expect(await refusal(plan(one, { containers: [drifted, web] }))).toBe(byContainer);
  const byHand = container('llama-server');
  expect(await refusal(plan(one, { containers: [byHand, web], wish: { adopt: true } }))).toBe(byContainer);
});

test('a port that a process holds is named with the process, where it can be seen', async () => {
  const held = (process?: string) =>
    refusal(plan(one, { ports: { '127.0.0.1:8080': process ? { process } : {} } }));
  const hint = `Free it (ss -ltnp 'sport = :8080'), or give llama-server another: LLAMA_SERVER_PORT=8081 aixcl stack start`;
  expect(await held('nginx (pid 7)')).toBe(
    `refused: llama-server needs port 8080, and it is taken by nginx (pid 7)\n${hint}`,
  );
  expect(await held()).toBe(
    `refused: llama-server needs port 8080, and it is taken by a process of this machine\n${hint}`,
  );
});

test('an Ollama on the host is named with the two ways to go on', async () => {
  const ollama = service('ollama', { ...own, ports: [port({ published: '11434', target: 11434 })] });
  const ports = { '127.0.0.1:11434': { process: 'ollama (pid 900)' } };
  expect(await refusal(plan(stack([ollama]), { ports }))).toBe(
    `refused: an Ollama runs on this machine itself (ollama (pid 900)) and holds port 11434
Stop it, its models stay where they are (sudo systemctl disable --now ollama); or run both: OLLAMA_PORT=11435 aixcl stack start`,
  );
});

test("the engine's own proxy for a port that our container publishes is no conflict", async () => {
  const containers = [ourContainer(one, llama, { state: 'running', ports: publishing() })];
  const ports = { '127.0.0.1:8080': { process: 'docker-proxy (pid 3)' } };
  expect(await planned(one, { containers, ports })).toBe('keep llama-server: it runs as defined');
  const before = service('llama-server', { ...llama, user: '1:1' });
  const drifted = [ourContainer(stack([before]), before, { ports: publishing() })];
  expect(await planned(one, { containers: drifted, ports })).toMatch(/^replace llama-server/);
});

test.each([
  [
    'a second one of a service of aixcl',
    'llama-server',
    { ...own, ports: [port({ published: '1' }), port()] },
  ],
  ['one to another port of a container', 'llama-server', { ...own, ports: [port({ target: 8099 })] }],
  ['one of a service that only has the name', 'llama-server', { ports: [port()] }],
  ['one of any other service', 'web', { ports: [port()] }],
])('no variable is named for a port that none moves: %s', async (_which, name, parts) => {
  const ports = { '127.0.0.1:8080': { process: 'nginx (pid 7)' } };
  expect(await refusal(plan(stack([service(name, parts)]), { ports }))).toBe(
    `refused: ${name} needs port 8080, and it is taken by nginx (pid 7)
Free it (ss -ltnp 'sport = :8080'), or give ${name} another, in its Compose file under ports`,
  );
});

test('the ports that a variable moves are those of services/compose.yaml', () => {
  const file = readFileSync(new URL('../../services/compose.yaml', import.meta.url), 'utf8');
  const found = [...file.matchAll(/\$\{([A-Z_]+_PORT):-\d+\}:(\d+)/g)].map(([, variable, to]) => [
    variable,
    Number(to),
  ]);
  expect([...portVariables.values()].map(({ variable, target }) => [variable, target])).toEqual(found);
});

const proxy = { process: 'docker-proxy (pid 3)' };

test('a proxy that outlived its engine may be ended', async () => {
  const ports = { '127.0.0.1:8080': { ...proxy, parent: { pid: 1, name: 'systemd' } } };
  expect(await refusal(plan(one, { ports }))).toBe(
    `refused: llama-server needs port 8080, and a killed engine left docker-proxy (pid 3) on it
Restart the engine (sudo systemctl restart docker), or end that process: sudo kill 3`,
  );
});

test.each([[{ pid: 900, name: 'dockerd' }], [{ pid: 1, name: 'dockerd' }], [undefined]])(
  'a proxy that the running engine may hold is not to be killed, as that would keep the port: %o',
  async (parent) => {
    const held = { ...proxy, ...(parent && { parent }) };
    expect(await refusal(plan(one, { ports: { '127.0.0.1:8080': held } }))).toBe(
      `refused: llama-server needs port 8080, and the engine itself holds it (docker-proxy (pid 3)) for no container that runs
Restart the engine: sudo systemctl restart docker`,
    );
  },
);

test('a port that the engine chooses is never taken', async () => {
  const { published: _none, ...free } = port();
  const definition = stack([service('llama-server', { ports: [free, port({ published: '0' })] })]);
  expect(await planned(definition, { ports: { '127.0.0.1:8080': {} } })).toMatch(/^create llama-server/);
});
