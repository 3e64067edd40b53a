import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { journalAt } from './journal.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-journal-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const nobody = async () => undefined;
const journal = () => journalAt(join(root, 'journal'), nobody);

async function file(): Promise<string> {
  const [name = ''] = await readdir(join(root, 'journal'));
  return join(root, 'journal', name);
}

test('what an operation says is read back in the order in which it was said', async () => {
  const operation = await journal().begin('models remove', ['a.gguf', 'b:latest']);
  await operation.step('save', 'a.gguf', 'it goes');
  await operation.end('done');
  const { entries, unreadable } = await journal().read();
  expect(unreadable).toBe(0);
  expect(entries).toMatchObject([
    { operation: operation.id, event: 'begin', command: 'models remove', targets: ['a.gguf', 'b:latest'] },
    { operation: operation.id, event: 'step', kind: 'save', target: 'a.gguf', because: 'it goes' },
    { operation: operation.id, event: 'end', outcome: 'done', because: null },
  ]);
  expect(operation.id).toMatch(/^\d{8}t\d{6}-[0-9a-f]{6}$/);
});

test('a home without a journal has an empty one, and reading makes none', async () => {
  expect(await journal().read()).toEqual({ entries: [], unreadable: 0 });
  expect(await readdir(root)).toEqual([]);
});

test('a line that was torn off is left out and counted, and takes no other with it', async () => {
  const first = await journal().begin('models remove', ['a']);
  const path = await file();
  await truncate(path, (await stat(path)).size - 9);
  const second = await journal().begin('undo', []);
  const { entries, unreadable } = await journal().read();
  expect(unreadable).toBe(1);
  expect(entries.map(({ operation }) => operation)).toEqual([second.id]);
  expect(first.id).not.toBe(second.id);
});

test.each([
  'null',
  '[]',
  '{"time":"2026-01-01T00:00:00.000Z"}',
  '{"time":"soon","operation":"a","event":"end","outcome":"done","because":null}',
  '{"time":"2026-01-01T00:00:00.000Z","operation":"a","event":"begin","command":"x","targets":[1],"pid":1}',
])('a line that says something else is counted: %s', async (line) => {
  await journal().begin('undo', []);
  await appendFile(await file(), `${line}\n`);
  expect(await journal().read()).toMatchObject({ entries: [{ event: 'begin' }], unreadable: 1 });
});

test('names with line breaks and characters of any script stay one line', async () => {
  const name = 'tea\n{"time":0}\u2028Grüße \u0000';
  await journal().begin('models add', [name]);
  expect((await readFile(await file(), 'utf8')).split('\n')).toHaveLength(2);
  expect((await journal().read()).entries).toMatchObject([{ targets: [name] }]);
});

test('commands that write at once lose no line of each other', async () => {
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const operation = await journal().begin('backups create', [String(index)]);
      await operation.step('save', String(index), 'x'.repeat(300));
      await operation.end('done');
    }),
  );
  const { entries, unreadable } = await journal().read();
  expect(unreadable).toBe(0);
  expect(entries).toHaveLength(60);
  expect(new Set(entries.map(({ operation }) => operation)).size).toBe(20);
});

test('other files in its folder are left alone', async () => {
  await journal().begin('undo', []);
  await writeFile(join(root, 'journal', 'notes.txt'), 'x');
  expect((await journal().read()).entries).toHaveLength(1);
});

test('a journal that is a file is an error that names it, and nothing goes on', async () => {
  await writeFile(join(root, 'journal'), '');
  await expect(journal().begin('undo', [])).rejects.toThrow(join(root, 'journal'));
});

test('what begins late writes its beginning with its first step, and nothing without one', async () => {
  const kept = journal().beginLater('stack start', []);
  await kept.end('done');
  expect(kept.began).toBe(false);
  expect(await readdir(root)).toEqual([]);

  const late = journal().beginLater('stack start', ['ollama']);
  await Promise.all([late.step('create', 'a', 'x'), late.step('create', 'b', 'y')]);
  await late.end('failed', 'no room');
  expect(late.began).toBe(true);
  expect((await journal().read()).entries).toMatchObject([
    { operation: late.id, event: 'begin', command: 'stack start', targets: ['ollama'], pid: process.pid },
    { event: 'step', target: 'a' },
    { event: 'step', target: 'b' },
    { event: 'end', outcome: 'failed', because: 'no room' },
  ]);
});

test('what could not begin, begins with a later step', async () => {
  await writeFile(join(root, 'journal'), '');
  const late = journal().beginLater('stack start', []);
  await expect(late.step('create', 'a', 'x')).rejects.toThrow('journal');
  await rm(join(root, 'journal'));
  await late.step('create', 'b', 'y');
  expect((await journal().read()).entries).toMatchObject([{ event: 'begin' }, { target: 'b' }]);
});

test('a process is told from a later one of its number', async () => {
  await journal().begin('undo', []);
  const [begin] = (await journal().read()).entries;
  expect(begin).toMatchObject({ process: expect.stringMatching(/ /) });
});

test('the end of a long journal is its last whole lines', async () => {
  const first = await journal().begin('undo', []);
  expect((await journal().readEnd()).entries).toMatchObject([{ operation: first.id }]);
  for (let step = 0; step < 20; step += 1) await first.step('save', String(step), 'x'.repeat(3000));
  const { entries, unreadable } = await journal().readEnd();
  expect(unreadable).toBe(0);
  expect(entries.length).toBeLessThan(15);
  expect(entries.at(-1)).toMatchObject({ target: '19' });
});

test('a journal that is not there has no end', async () => {
  expect(await journal().readEnd()).toEqual({ entries: [], unreadable: 0 });
});

test.each<[string, (path: string) => Promise<unknown>]>([
  ['a folder', (path) => mkdir(path)],
  ['a link to nothing', (path) => symlink('gone', path)],
  ['a link to itself', (path) => symlink(path, path)],
])('a month that is %s is refused by its name, read whole or at its end', async (_what, make) => {
  const path = join(root, 'journal', '2026-01.jsonl');
  await mkdir(join(root, 'journal'));
  await make(path);
  const refused = {
    code: 'refused',
    message: expect.stringContaining(`the journal ${path} can't be read: `),
    hint: `ls -l ${path}`,
  };
  await expect(journal().read()).rejects.toMatchObject(refused);
  await expect(journal().readEnd()).rejects.toMatchObject(refused);
});

test('a journal whose folder can not be read is refused by its name', async () => {
  const folder = join(root, 'journal');
  await symlink(folder, folder);
  await expect(journal().read()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(`the journal ${folder} can't be read: `),
    hint: `ls -ld ${folder}`,
  });
});
