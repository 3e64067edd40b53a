import { expect, test } from 'vitest';
import { describeTask, type TaskState } from './task-line.ts';

const task = (own: Partial<TaskState> = {}): TaskState => ({
  label: 'pull x',
  began: 1000,
  done: 0,
  total: undefined,
  text: undefined,
  ...own,
});

test('work without a size shows its words and how long it takes', () => {
  expect(describeTask(task({ text: 'Step 1/2' }), 'update', 3500)).toBe('pull x  Step 1/2  2.5 s');
});

test('work with a size shows bar, part, bytes, rate and time left', () => {
  const half = task({ done: 500_000_000, total: 1_000_000_000 });
  expect(describeTask(half, 'update', 6000)).toBe(
    `pull x  ${'█'.repeat(12)}${'░'.repeat(12)}  50 %  500 MB / 1 GB  100 MB/s  5.0 s left`,
  );
});

test('before the first byte the time left is not known', () => {
  expect(describeTask(task({ total: 10 }), 'update', 1000)).toContain('0 %  0 B / 10 B  0 B/s  ? left');
});

test('more bytes than were announced fill the bar and no more, and leave no negative time', () => {
  const line = describeTask(task({ done: 20, total: 10 }), 'update', 2000);
  expect(line).toContain(`${'█'.repeat(24)}  100 %`);
  expect(line).toContain('0 ms left');
});

test('the end is marked, with the size where it is known and it succeeded', () => {
  expect(describeTask(task({ total: 1000, done: 1000 }), 'succeed', 2000)).toBe('✔ pull x  1 kB  1.0 s');
  expect(describeTask(task({ total: 1000, text: 'no registry' }), 'fail', 2000)).toBe(
    '✖ pull x  no registry  1.0 s',
  );
});

test('names of files and tensors get no control character to the terminal', () => {
  const odd = task({ label: 'Saving "a\u001b[2J"', text: '1/2 blk\u001b[31m\n.weight' });
  for (const phase of ['update', 'succeed', 'fail'] as const) {
    expect(describeTask(odd, phase, 2000)).toMatch(/Saving "a \[2J" .* ?1\/2 blk \[31m \.weight/);
  }
});
