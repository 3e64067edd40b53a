import { expect, test } from 'vitest';
import type { Journal, JournalEntry } from '../../../plan/journal.ts';
import { placesBroughtOver } from './brought-over.ts';

const time = '2026-11-22T01:02:03.000Z';

function told(command: string, place: string, outcome: string): JournalEntry[] {
  const operation = `${command} ${place}`;
  return [
    { time, operation, event: 'begin', command, targets: [place, 'tea:latest'], pid: 1 },
    { time, operation, event: 'end', outcome, because: null },
  ];
}

test('a place counts as brought over once a command has done it whole', async () => {
  const entries = [
    ...told('doctor --move', 'volume services_ollama', 'done'),
    ...told('doctor --move', 'volume partly', 'partly'),
    ...told('doctor --move', 'volume cut', 'done').slice(0, 1),
    ...told('models remove', 'volume other', 'done'),
  ];
  const journal = { read: async () => ({ entries, unreadable: 0 }) } as unknown as Journal;
  expect([...(await placesBroughtOver(journal))]).toEqual(['volume services_ollama']);
});
