import { expect, test } from 'vitest';
import { engineFailure, isStuck, pullFailure } from './failures.ts';

const reference = 'registry.example/x:1';

/** An answer as docker-modem throws it. */
function answered(words: string): Error {
  return Object.assign(new Error(`(HTTP code 500) server error - ${words} `), { statusCode: 500 });
}

test.each([
  ['dial tcp: lookup registry.example on 127.0.0.1:53: no such host', 'registry.example'],
  [
    'Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
    'registry.example',
  ],
  [
    'Get "https://registry.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'registry.example',
  ],
  ['Get "https://registry.example/v2/": context deadline exceeded', 'registry.example'],
  ['Get https://registry.example/v2/: net/http: TLS handshake timeout', 'registry.example'],
  ['Get "http://registry.example:5000/v2/": EOF', 'registry.example:5000'],
])('a registry that does not answer is told from an image that is not there: %s', (words, host) => {
  expect(pullFailure(answered(words), 'unix:///x', reference)).toMatchObject({
    code: 'notFound',
    message: `no image registry answers for ${reference} (${host})`,
  });
});

test('what a registry answers stays in its words', () => {
  const words = 'manifest for registry.example/GEOF:1 not found: manifest unknown';
  expect(pullFailure(answered(words), 'unix:///x', reference)).toMatchObject({
    code: 'unexpected',
    message: `pull ${reference}: ${words}`,
  });
});

test.each([
  "error while mounting volume '/x/_data': get ollama: database not open",
  'grpc: the client connection is closing: unknown',
  'connection error: desc = "transport: error while dialing: dial unix:///run/containerd/containerd.sock: timeout"; transport is closing',
])('an engine that is being stopped is one that can not be reached: %s', (words) => {
  expect(engineFailure(answered(words), 'unix:///x', 'read /x')).toMatchObject({
    code: 'engineUnreachable',
    message: "the Docker engine at unix:///x can't be reached: it is being stopped",
  });
});

test.each([
  ['task 8cd28122221c617a: already exists', true],
  ['id already in use', true],
  ['failed to start shim: mkdir /run/io.containerd.runtime.v2.task/moby/8cd2: file exists: unknown', true],
  ['Conflict. The container name "/a" is already in use', false],
])('a container that a killed engine can not start again is told by its words: %s', (words, stuck) => {
  expect(isStuck(answered(words))).toBe(stuck);
});

test('what an engine refuses is told in its words', () => {
  expect(engineFailure(answered('no space left on device'), 'unix:///x', 'start a')).toMatchObject({
    code: 'unexpected',
    message: 'start a: no space left on device',
  });
});
