import { expect, test } from 'vitest';
import { parseLooseJson } from './loose-json.ts';
import { byName, Evolution, isEvolutionFile, summarizeSeries } from './series.ts';

function seriesOf(files: Readonly<Record<string, string>>) {
  const evolution = new Evolution();
  for (const path of Object.keys(files).sort(byName)) evolution.add(path, files[path]!);
  return evolution;
}

const read = (files: Readonly<Record<string, string>>) =>
  seriesOf(files)
    .series()
    .map(({ name, axis, places, values }) => [name, axis, places, values]);

test('a log of lines is a series a metric, by its steps', () => {
  expect(read({ 'log.jsonl': '{"step":10,"loss":3,"eval":{"acc":0.5}}\n\n{"step":20,"loss":2}\n' })).toEqual([
    ['loss', 'step', [10, 20], [3, 2]],
    ['eval.acc', 'step', [10], [0.5]],
  ]);
});

test('one snapshot a file makes a run, in the order of the numbers in their names', () => {
  const files = Object.fromEntries(
    [10, 9, 100].map((step) => [`a/step-${step}.json`, JSON.stringify({ metrics: { loss: step } })]),
  );
  expect(read(files)).toEqual([['metrics.loss', null, [1, 2, 3], [9, 10, 100]]]);
});

test('what a trainer repeats in each checkpoint counts once, and what it says of all is placed by all', () => {
  const entry = (step: number) => ({ epoch: step / 10, step, loss: 5 - step });
  const state = (steps: number[]) =>
    JSON.stringify({ global_step: steps.at(-1), log_history: steps.map(entry), total: 7 });
  expect(
    read({ 'checkpoint-1/state.json': state([1, 2]), 'checkpoint-2/state.json': state([1, 2, 3]) }),
  ).toEqual([
    ['loss', 'step', [1, 2, 3], [4, 3, 2]],
    ['total', 'step', [2, 3], [7, 7]],
  ]);
});

test('columns beside a column of steps, times as texts, and pairs of name and value are read', () => {
  expect(read({ 'a.json': '{"epochs":[1,2],"loss":[4,3],"other":[1,2,3],"one":[8]}' })).toEqual([
    ['loss', 'epoch', [1, 2], [4, 3]],
    ['other', null, [1, 2, 3], [1, 2, 3]],
    ['one', null, [1], [8]],
  ]);
  const time = '2026-01-02T03:04:05Z';
  expect(read({ 'a.json': `{"timestamp":"${time}","metrics":[{"name":"f1","value":0.5}]}` })).toEqual([
    ['metrics.f1', 'time', [Date.parse(time)], [0.5]],
  ]);
});

test('files of several kinds keep their metrics apart', () => {
  expect(read({ 'eval.jsonl': '{"loss":1}', 'train.jsonl': '{"loss":2}' }).map(([name]) => name)).toEqual([
    'eval.jsonl: loss',
    'train.jsonl: loss',
  ]);
});

test('NaN and infinities are points that are not numbers; the summary leaves them out', () => {
  const [series] = seriesOf({ 'a.jsonl': '{"x":NaN}\n{"x":2}\n{"x":-Infinity}\n{"x":1}' }).series();
  expect(series?.values).toEqual([Number.NaN, 2, Number.NEGATIVE_INFINITY, 1]);
  expect(summarizeSeries(series!)).toEqual({
    name: 'x',
    by: null,
    points: 4,
    first: 2,
    last: 1,
    min: 1,
    max: 2,
  });
  expect(summarizeSeries({ ...series!, values: [Number.NaN] })).toMatchObject({ first: null, max: null });
});

test('words inside texts are no numbers', () => {
  expect(parseLooseJson('{"a":"NaN, \\"Infinity\\"","b":[NaN]}')).toEqual({
    a: 'NaN, "Infinity"',
    b: [Number.NaN],
  });
  expect(() => parseLooseJson('{"a":nan}')).toThrow(SyntaxError);
});

test('what is cut off or no JSON is said, and the rest is read; depth and length cost nothing', () => {
  const evolution = seriesOf({ 'a.jsonl': '{"loss":1}\n{"lo', 'b.json': 'nothing' });
  expect(evolution.problems).toEqual(['a.jsonl: 1 line is no JSON', 'b.json: 1 line is no JSON']);
  expect(evolution.series()).toHaveLength(1);
  const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
  const many = Array.from({ length: 100_000 }, (_, step) => `{"step":${step},"loss":${step % 7}}`).join('\n');
  const [first, second] = seriesOf({ 'a.json': deep, 'b.jsonl': many }).series();
  expect(first?.values).toEqual([1]);
  expect(second?.values).toHaveLength(100_000);
  expect(summarizeSeries(second!)).toMatchObject({ min: 0, max: 6 });
});

test('JSON is known by its name, in any folder and any case', () => {
  expect(['a.json', 'b/c.JSONL', 'd.ndjson', 'e.txt', 'json', '.jsonx'].map(isEvolutionFile)).toEqual([
    ...[true, true, true, false, false, false],
  ]);
});
