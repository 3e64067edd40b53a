import { expect, test } from 'vitest';
import type { JournalledOperation } from '../../../plan/operations.ts';
import { table } from '../../output/table.ts';
import { columns, describeOperation, entryWords, lastInterrupted, localTime } from './words.ts';

const same = (text: string) => text;
const paint = { bold: same, dim: same, good: same, warn: same, bad: same, tint: same };
/** In this machine's own time zone, so that the words are the same everywhere. */
const at = (second: number) => new Date(2026, 0, 31, 12, 0, second).toISOString();

const operation = (wish: Partial<JournalledOperation> = {}): JournalledOperation => ({
  id: '20260131t120000-1f3a9c',
  command: 'models remove',
  targets: ['tea:latest'],
  began: at(0),
  ended: at(5),
  outcome: 'done',
  because: null,
  steps: [{ time: at(1), kind: 'save', target: 'tea:latest', because: 'it goes' }],
  resolvedBy: null,
  resolution: null,
  ...wish,
});
const again = operation({ id: '20260131t120030-00aa11', began: at(30) });
const killed = operation({
  ended: null,
  outcome: 'interrupted',
  resolvedBy: again.id,
  resolution: 'what it was writing is cleared away; done',
});

test('the list tells command, steps and outcome, with the reason of a failure on one line', () => {
  const failed = operation({ outcome: 'failed', because: 'no room\non the disk', targets: ['a\nb'] });
  const unknown = operation({ outcome: null, command: null, targets: [] });
  expect(table([operation(), failed, unknown], columns(paint))).toBe(
    [
      'ID       BEGAN                 COMMAND                    STEPS   OUTCOME',
      '1f3a9c   2026-01-31 12:00:00   models remove tea:latest       1   done',
      '1f3a9c   2026-01-31 12:00:00   models remove a b              1   failed: no room on the disk',
      '1f3a9c   2026-01-31 12:00:00   ?                              1   unknown: it began in another container',
    ].join('\n'),
  );
});

test('one operation is told with each of its steps, and how it was resolved', () => {
  expect(describeOperation(killed, [killed, again], paint)).toBe(
    [
      'Command   models remove tea:latest',
      'Id        20260131t120000-1f3a9c',
      'Began     2026-01-31 12:00:00',
      'Ended     -',
      'Outcome   interrupted',
      'Resolved  what it was writing is cleared away; done by models remove tea:latest (00aa11), 2026-01-31 12:00:30',
      '',
      '2026-01-31 12:00:01  save tea:latest: it goes',
    ].join('\n'),
  );
  expect(describeOperation(operation(), [], paint)).toContain('Ended     2026-01-31 12:00:05, 5.0 s');
  expect(describeOperation(operation({ steps: [] }), [], paint)).toContain('No step was taken.');
});

test('the last interrupted one is told with the step that it was at, and what to run', () => {
  const open = operation({
    outcome: 'interrupted',
    resolution: 'not yet: run aixcl models remove tea:latest',
  });
  expect(lastInterrupted(open, [open])).toBe(
    [
      'Last interrupted: models remove tea:latest, 2026-01-31 12:00:00, at: save tea:latest: it goes',
      '  not yet: run aixcl models remove tea:latest',
    ].join('\n'),
  );
});

test('a line that is followed names its operation', () => {
  const line = { time: at(7), operation: again.id };
  expect(entryWords({ ...line, event: 'begin', command: 'undo', targets: [], pid: 1 }, paint)).toBe(
    '2026-01-31 12:00:07  00aa11  undo',
  );
  expect(entryWords({ ...line, event: 'end', outcome: 'failed', because: 'no room' }, paint)).toBe(
    '2026-01-31 12:00:07  00aa11    failed: no room',
  );
});

test('a time is shown as the clock on the wall has it', () => {
  expect(localTime(new Date(2026, 10, 2, 3, 4, 5).toISOString())).toBe('2026-11-02 03:04:05');
});
