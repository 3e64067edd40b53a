import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import { composeLabels, labels } from '../labels.ts';
import { hasHashPrefix, matches, splitLeftovers } from './container-ref.ts';
import type { ContainerSummary } from './engine.ts';
import { theOne } from './mend.ts';
import {
  composeContainer,
  container,
  containerId,
  ourContainer,
  replacing,
  service,
  stack,
} from './test-stack.ts';

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

test('where two remain the error names both, and neither is chosen', () => {
  const two = ['a9f302029b81_ollama', 'b9f302029b81_ollama'].map((name) => container(name));
  const error = (() => {
    try {
      return theOne(identity, two);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(AixclError);
  expect(error).toMatchObject({
    code: 'refused',
    message:
      '2 containers could be ollama: a9f302029b81_ollama, b9f302029b81_ollama; aixcl does not choose between them; a9f302029b81_ollama and b9f302029b81_ollama run',
  });
  expect((error as AixclError).evidence).toHaveLength(2);
});

const old = composeContainer(definition, ollama, { id: containerId('a5559cc38d9d'), state: 'exited' });

test.each([
  ['ours', ourContainer(definition, ollama, replacing(old))],
  ["Compose's", composeContainer(definition, ollama, { ...replacing(old), labels: {} })],
])(
  'a replacement of %s that never ran is told from the container that it was to replace',
  (_of, leftover) => {
    expect(theOne(identity, [leftover, old])?.container).toBe(old);
    expect(theOne(identity, [leftover, { ...old, state: 'running' }])?.container.id).toBe(old.id);
  },
);

test('a replacement whose predecessor is gone is no leftover', () => {
  const alone = ourContainer(definition, ollama, replacing(old));
  expect(theOne(identity, [alone])?.container).toBe(alone);
});

test('of two replacements in a row the last one is the leftover', () => {
  const first = ourContainer(definition, ollama, {
    ...replacing(old),
    id: containerId('b1'),
    name: 'ollama',
  });
  const second = ourContainer(definition, ollama, { ...replacing(first), id: containerId('b2') });
  const { leftovers, rest } = splitLeftovers(matches(identity, [first, second]));
  expect([leftovers, rest].map((some) => some.map((match) => match.container))).toEqual([[second], [first]]);
});

test('what has no labels of ours is never a leftover, so never removed', () => {
  const hand = container('a9f302029b81_ollama', { id: containerId('c9f302029b81'), state: 'exited' });
  const other = container('c9f302029b81_a9f302029b81_ollama', { state: 'created' });
  expect(splitLeftovers(matches(identity, [hand, other])).leftovers).toEqual([]);
});
