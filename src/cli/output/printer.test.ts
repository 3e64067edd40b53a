import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { paintFor } from './paint.ts';
import { Printer } from './printer.ts';
import { progressFor, progressMode } from './progress.ts';

const plain = await paintFor({}, {}, false);

function printer(format: 'table' | 'json', quiet = false) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const paint = plain;
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return {
    out: new Printer(format, { stdout, stderr }, paint, paint, quiet),
    stdout: () => text(stdout),
    stderr: () => text(stderr),
  };
}
const columns = [{ title: 'name', value: (row: { name: string }) => row.name }];

test('a list is one object a line in JSON, each with its type, and a table otherwise', async () => {
  const json = printer('json');
  await json.out.list('model', [{ name: 'a' }, { name: 'b' }], columns);
  expect(json.stdout()).toBe('{"type":"model","name":"a"}\n{"type":"model","name":"b"}\n');
  const text = printer('table');
  await text.out.list('model', [{ name: 'a' }], columns);
  expect(text.stdout()).toBe('NAME\na\n');
});

test('one thing and a result carry their type too', () => {
  const { out, stdout } = printer('json');
  out.item('status', { project: 'x' }, () => 'never');
  out.result({ command: 'stack stop', changed: false, steps: [] }, 'never');
  expect(stdout()).toBe(
    '{"type":"status","project":"x"}\n{"type":"result","command":"stack stop","changed":false,"steps":[]}\n',
  );
});

test('notes and warnings go to stderr alone; --progress quiet takes the notes, not the warnings', () => {
  const loud = printer('table');
  loud.out.note('by the way');
  loud.out.warn('mind');
  expect(loud.stderr()).toBe('by the way\nwarning: mind\n');
  expect(loud.stdout()).toBe('');
  const quiet = printer('table', true);
  quiet.out.note('by the way');
  quiet.out.warn('mind');
  expect(quiet.stderr()).toBe('warning: mind\n');
});

test.each([
  ['off a terminal', {}, {}, undefined, false],
  ['on a terminal', { isTTY: true }, {}, undefined, true],
  ['under NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, undefined, false],
  ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, undefined, false],
  ['with --color', {}, { NO_COLOR: '1' }, true, true],
  ['with --no-color', { isTTY: true }, {}, false, false],
] as const)('%s: colours %s', async (_where, stream, env, wanted, coloured) => {
  expect((await paintFor(stream, env, wanted)).bad('x') !== 'x').toBe(coloured);
});

test('progress is lines off a terminal, whatever was wanted goes over that', () => {
  expect(progressMode('auto', {})).toBe('plain');
  expect(progressMode('auto', { isTTY: true, columns: 80 })).toBe('tty');
  expect(progressMode('auto', { isTTY: true, columns: 0 })).toBe('plain');
  expect(progressMode('tty', { isTTY: true, columns: 0 })).toBe('plain');
  expect(progressMode('quiet', { isTTY: true })).toBe('quiet');
  expect(progressMode('tty', {})).toBe('tty');
});

test('off a terminal each piece of work is one line, at its end, without control characters', () => {
  const stream = new PassThrough();
  const progress = progressFor('plain', () => stream as unknown as NodeJS.WriteStream);
  const task = progress.start('pull x');
  task.update({ text: 'Waiting' });
  task.succeed('');
  progress.start('pull y').fail('no registry');
  expect(String(stream.read())).toMatch(/^✔ pull x {2}\d+ ms\n✖ pull y {2}no registry {2}\d+ ms\n$/);
});

test('progress as JSON is one object a line; quiet says nothing', () => {
  const stream = new PassThrough();
  const progress = progressFor('json', () => stream as unknown as NodeJS.WriteStream);
  progress.start('pull x', 10).succeed();
  const lines = String(stream.read()).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).phase)).toEqual(['start', 'succeed']);
  expect(JSON.parse(lines[0]!)).toEqual({
    type: 'progress',
    phase: 'start',
    label: 'pull x',
    done: 0,
    total: 10,
    text: null,
  });
  progressFor('quiet', () => stream as unknown as NodeJS.WriteStream)
    .start('x')
    .fail();
  expect(stream.read()).toBeNull();
});

test('what a task says in its own words is a line in each mode but quiet', () => {
  const said = (mode: 'plain' | 'json' | 'quiet') => {
    const stderr = new PassThrough();
    progressFor(mode, () => stderr as unknown as NodeJS.WriteStream)
      .start('Merging')
      .says?.('epoch 1');
    return String(stderr.read() ?? '');
  };
  expect(said('plain')).toBe('  | epoch 1\n');
  expect(JSON.parse(said('json').trim().split('\n').at(-1) ?? '')).toMatchObject({
    type: 'progress',
    phase: 'says',
    label: 'Merging',
    text: 'epoch 1',
  });
  expect(said('quiet')).toBe('');
});

test('a warning keeps its lines, and brings no control character to the terminal', () => {
  const { out, stderr } = printer('table');
  out.warn('kept, and not drawn: a\u001b[2J.json\nand b');
  expect(stderr()).toBe('warning: kept, and not drawn: a [2J.json\nand b\n');
});
