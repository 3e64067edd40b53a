import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { journalAt } from './journal.ts';
import { followJournal } from './journal-tail.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-journal-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const line = (operation: string) =>
  `${JSON.stringify({ time: '2026-01-31T12:00:00.000Z', operation, event: 'end', outcome: 'done', because: null })}\n`;

/** The batches of a journal, one call each, as operation ids and unreadable lines. */
function following(folder: string) {
  const stop = new AbortController();
  const batches = followJournal(folder, stop.signal);
  return {
    async next() {
      const { value, done } = await batches.next();
      return done ? undefined : [...value.entries.map(({ operation }) => operation), value.unreadable];
    },
    stop: () => stop.abort(),
  };
}

test('what stands there comes first, then what comes, also in the file of a new month', async () => {
  await writeFile(join(root, '2025-12.jsonl'), line('a'));
  await writeFile(join(root, '2026-01.jsonl'), line('b'));
  const journal = following(root);
  expect(await journal.next()).toEqual(['a', 'b', 0]);
  await appendFile(join(root, '2026-01.jsonl'), line('c'));
  expect(await journal.next()).toEqual(['c', 0]);
  await writeFile(join(root, '2026-02.jsonl'), line('d'));
  expect(await journal.next()).toEqual(['d', 0]);
  journal.stop();
  expect(await journal.next()).toBeUndefined();
});

test('a journal that is not there yet is waited for, and not made', async () => {
  const folder = join(root, 'home', 'journal');
  const journal = following(folder);
  expect(await journal.next()).toEqual([0]);
  const operation = await journalAt(folder, async () => undefined).begin('undo', []);
  expect(await journal.next()).toEqual([operation.id, 0]);
  journal.stop();
});

test('a line is told once, when it is whole; one that was torn off is counted', async () => {
  await mkdir(root, { recursive: true });
  const file = join(root, '2026-01.jsonl');
  await writeFile(file, `${line('a')}${line('b').slice(0, 20)}`);
  const journal = following(root);
  expect(await journal.next()).toEqual(['a', 0]);
  await appendFile(file, line('b').slice(20));
  expect(await journal.next()).toEqual(['b', 0]);
  await appendFile(file, `{"time":\n${line('c')}`);
  expect(await journal.next()).toEqual(['c', 1]);
  journal.stop();
});
