import { expect, test } from 'vitest';
import { composeLabels, labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import { composeContainer, container, ourContainer, service, stack } from '../test-stack.ts';
import { hasHashPrefix, matches } from './container-ref.ts';

const ollama = service('ollama');
const definition = stack([ollama, service('llama-server')]);
const identity = { project: 'aixcl', service: 'ollama', containerName: 'ollama' };

function found(...containers: ContainerSummary[]): string[] {
  return matches(identity, containers).map((match) => `${match.container.name} by ${match.matchedBy}`);
}

test('a container is found by its labels, whatever its name', () => {
  expect(found(ourContainer(definition, ollama, { name: 'renamed' }))).toEqual(['renamed by labels']);
  expect(found(composeContainer(definition, ollama, { name: 'aixcl-ollama-1' }))).toEqual([
    'aixcl-ollama-1 by labels',
  ]);
});

test('labels go over the name: a container that only has our name is not looked at then', () => {
  const labelled = ourContainer(definition, ollama, { name: 'a9f302029b81_ollama' });
  expect(found(container('ollama'), labelled)).toEqual(['a9f302029b81_ollama by labels']);
});

test('without labels the exact name is found, and goes over a prefixed one', () => {
  expect(found(container('a9f302029b81_ollama'), container('ollama'))).toEqual(['ollama by name']);
});

test.each(['a9f302029b81_ollama', '000000000000_ollama', 'a9f302029b81_b2f302029b81_ollama'])(
  '%s is found by its prefix',
  (name) => {
    expect(found(container(name))).toEqual([`${name} by prefix`]);
  },
);

test.each([
  'not-ollama',
  'x_ollama',
  'dead_ollama',
  'my_beef_ollama',
  'my-postgres',
  'a9f302029b8_ollama',
  'a9f302029b81c_ollama',
  'A9F302029B81_ollama',
  'g9f302029b81_ollama',
  'a9f302029b81-ollama',
  'a9f302029b81ollama',
  'x_a9f302029b81_ollama',
  'a9f302029b81_x_ollama',
  'a9f302029b81__ollama',
  'a9f302029b81_ollama_2',
  'a9f302029b81_ollamas',
  'ollama-1',
  'Ollama',
  'a9f302029b81_not-ollama',
  '_ollama',
  '',
])('%s is nobody of ours', (name) => {
  expect(found(container(name))).toEqual([]);
});

test('a prefix ends in exactly the wanted name, also where that name has hex digits of its own', () => {
  expect(hasHashPrefix('a9f302029b81_beef', 'beef')).toBe(true);
  expect(hasHashPrefix('a9f302029b81_dead_beef', 'beef')).toBe(false);
  expect(hasHashPrefix('beef', 'beef')).toBe(false);
});

test("another project's container is nobody's, whatever its name", () => {
  const other = { [composeLabels.project]: 'other', [composeLabels.service]: 'ollama' };
  expect(found(container('ollama', { labels: other }))).toEqual([]);
  expect(found(container('a9f302029b81_ollama', { labels: other }))).toEqual([]);
});

test("another service's container is nobody's, though it bears this service's name", () => {
  const swapped = ourContainer(definition, service('llama-server'), { name: 'ollama' });
  expect(found(swapped)).toEqual([]);
});

test('neither a one-off of `compose run` nor a helper of ours is the service', () => {
  const oneOff = { [composeLabels.oneoff]: 'True' };
  const helper = { [labels.operation]: 'backup-1' };
  expect(found(composeContainer(definition, ollama, { labels: oneOff }))).toEqual([]);
  expect(found(composeContainer(definition, ollama, { labels: helper }))).toEqual([]);
  expect(found(container('ollama', { labels: helper }))).toEqual([]);
});
