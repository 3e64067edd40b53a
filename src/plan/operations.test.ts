import { expect, test } from 'vitest';
import type { JournalEntry } from './journal.ts';
import { openOperations, operationsOf } from './operations.ts';

let minute = 0;
const time = () => {
  minute += 1;
  return `2026-01-31T12:${String(minute % 60).padStart(2, '0')}:00.000Z`;
};
const begin = (operation: string, command: string, ...targets: string[]): JournalEntry => ({
  time: time(),
  operation,
  event: 'begin',
  command,
  targets,
  pid: 1,
});
const step = (operation: string, kind: string, target: string, because = 'x'): JournalEntry => ({
  time: time(),
  operation,
  event: 'step',
  kind,
  target,
  because,
});
const end = (operation: string, outcome: string, because: string | null = null): JournalEntry => ({
  time: time(),
  operation,
  event: 'end',
  outcome,
  because,
});
const none = new Map<string, boolean>();

/** `id outcome resolvedBy: resolution` of each. */
function told(entries: readonly JournalEntry[], running: ReadonlyMap<string, boolean | null> = none) {
  return operationsOf(entries, running).map(
    ({ id, outcome, resolvedBy, resolution }) =>
      `${id} ${outcome} ${resolvedBy ?? '-'}: ${resolution ?? '-'}`,
  );
}

test('lines of operations that ran side by side are told apart, oldest first', () => {
  const entries = [
    begin('a', 'models remove', 'tea'),
    begin('b', 'backups create', 'milk'),
    step('a', 'save', 'tea', 'it goes'),
    end('b', 'done'),
    end('a', 'failed', 'no room'),
  ];
  expect(operationsOf(entries, none)).toMatchObject([
    {
      id: 'a',
      command: 'models remove',
      targets: ['tea'],
      began: entries[0]!.time,
      ended: entries[4]!.time,
      outcome: 'failed',
      because: 'no room',
      steps: [{ time: entries[2]!.time, kind: 'save', target: 'tea', because: 'it goes' }],
    },
    { id: 'b', outcome: 'done', because: null, steps: [] },
  ]);
});

test('one that did not end runs, was interrupted, or nobody can say', () => {
  const entries = [
    begin('a', 'undo'),
    begin('b', 'undo'),
    begin('c', 'undo'),
    begin('d', 'undo'),
    end('d', 'done'),
  ];
  expect(openOperations(entries).map(({ operation }) => operation)).toEqual(['a', 'b', 'c']);
  const running = new Map([
    ['a', true],
    ['b', null],
    ['c', false],
  ]);
  expect(operationsOf(entries, running).map(({ outcome }) => outcome)).toEqual([
    'running',
    null,
    'interrupted',
    'done',
  ]);
});

test('what a later command settles by name is resolved by it, in its words', () => {
  const entries = [
    begin('a', 'models remove', 'tea'),
    begin('b', 'backups create'),
    step('b', 'settle', 'a', 'tea is removed to the end'),
    step('b', 'settle', 'a', 'its helper is taken away'),
    step('b', 'settle', 'z', 'another'),
    end('b', 'done'),
  ];
  expect(told(entries, new Map([['a', false]]))).toEqual([
    'a interrupted b: tea is removed to the end; its helper is taken away',
    'b done -: -',
  ]);
});

test('one that was settled and then done after all tells both', () => {
  const entries = [
    begin('a', 'backups create', 'tea'),
    begin('b', 'backups create', 'tea'),
    step('b', 'settle', 'a', 'what it wrote is cleared away'),
    end('b', 'done'),
  ];
  expect(told(entries, new Map([['a', false]]))[0]).toBe(
    'a interrupted b: what it wrote is cleared away; done',
  );
});

test.each([
  ['the same again', ['models remove', 'tea'], ['models remove', 'tea'], true],
  ['more of the same', ['models remove', 'tea'], ['models remove', 'milk', 'tea'], true],
  ['less of the same', ['models remove', 'tea', 'milk'], ['models remove', 'tea'], false],
  ['another command', ['models remove', 'tea'], ['models add', 'tea'], false],
  ['a start of all', ['service start', 'ollama'], ['stack start'], true],
  ['a start of one', ['stack start'], ['service start', 'ollama'], false],
  ['a start after a restart', ['stack restart'], ['stack start'], true],
  ['a restart after a start', ['stack start'], ['stack restart'], false],
  ["a command after the page's", ['models remove (page)', 'tea.gguf'], ['models remove', 'tea.gguf'], true],
  ["the page's after a command", ['undo', 'tea.gguf'], ['undo (page)', 'tea.gguf'], true],
  ['a start of another stack', ['stack start'], ['stack start --file x.yaml'], false],
])(
  'an interrupted one is resolved by a later one that is done: %s',
  (_, [a = '', ...as], [b = '', ...bs], is) => {
    const entries = [
      begin('a', a, ...as),
      end('a', 'interrupted', 'Ctrl-C'),
      begin('b', b, ...bs),
      end('b', 'done'),
    ];
    expect(operationsOf(entries, none)[0]?.resolvedBy).toBe(is ? 'b' : null);
  },
);

test('one that failed, or came before, resolves nothing', () => {
  const entries = [
    begin('a', 'stack start'),
    end('a', 'done'),
    begin('b', 'stack start'),
    end('b', 'interrupted'),
    begin('c', 'stack start'),
    end('c', 'failed'),
  ];
  expect(told(entries)[1]).toBe('b interrupted -: not yet: run aixcl stack start');
});

test('what to run is what was typed, where the journal knows that', () => {
  const entries = [
    begin('a', 'models remove', 'tea:latest', "Grandma's tea.gguf"),
    begin('b', 'models add', 'tea.gguf'),
    begin('c', 'service restart', 'ollama'),
    begin('d', 'models activate (page)', 'tea.gguf'),
    begin('e', 'undo (page)', 'tea.gguf'),
  ];
  const gone = new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, false]));
  expect(operationsOf(entries, gone).map(({ resolution }) => resolution)).toEqual([
    `not yet: run aixcl models remove tea:latest 'Grandma'\\''s tea.gguf'`,
    'not yet: run aixcl models add again',
    'not yet: run aixcl service restart ollama',
    'not yet: run aixcl models activate tea.gguf',
    'not yet: run aixcl undo again',
  ]);
});

test('one whose beginning can not be read is shown with what is left of it', () => {
  const entries = [step('a', 'save', 'tea'), end('a', 'done')];
  expect(operationsOf(entries, none)).toMatchObject([
    { id: 'a', command: null, began: entries[0]!.time, outcome: 'done', steps: [{ kind: 'save' }] },
  ]);
});
