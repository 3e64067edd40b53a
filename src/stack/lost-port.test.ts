import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import type { ContainerSummary } from './engine.ts';
import { LostPort, withLostPort } from './lost-port.ts';
import { container } from './test-stack.ts';

const refused = new AixclError(
  'unexpected',
  'start 0123456789ab: driver failed programming external connectivity on endpoint ollama (01ab): Bind for 127.0.0.1:11434 failed: port is already allocated',
);
const ports = [{ hostIp: '127.0.0.1', published: 11434, target: 11434, protocol: 'tcp' }];

test('a port that is given away and that no container has comes back with a restart of the engine', () => {
  const others: ContainerSummary[] = [
    container('ollama', { state: 'created' }),
    container('was', { state: 'exited', ports }),
    container('web', { state: 'running' }),
  ];
  const found = withLostPort(refused, others);
  expect(found).toBeInstanceOf(LostPort);
  expect(found).toMatchObject({
    message: `${refused.message}: the engine keeps port 11434 for a container that is gone`,
    hint: 'Restart the engine (sudo systemctl restart docker), then: aixcl stack start',
    cause: refused,
  });
});

test.each<[string, Partial<ContainerSummary>]>([
  ['has it', { state: 'running', ports }],
  ['is paused with it', { state: 'paused', ports }],
  ['is just being started anew, as it may have it between two looks', { state: 'restarting' }],
])('a port is not lost where a container %s', (_how, own) => {
  expect(withLostPort(refused, [container('other', own)])).toBe(refused);
});

test('any other failure stays what it is', () => {
  const other = new Error(
    'Ports are not available: listen tcp 127.0.0.1:11434: bind: address already in use',
  );
  expect(withLostPort(other, [])).toBe(other);
});
