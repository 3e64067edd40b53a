import { expect, test } from 'vitest';
import { uploadWith } from '../test-state.ts';
import { newsOf, noNews, phasesOf } from './news.ts';

const coming = uploadWith({ id: 'a', parts: { count: 2, whole: 1 } });
const waiting = { ...coming, phase: 'parts' } as const;
const said = newsOf([waiting], phasesOf([coming]), noNews);

test('what an upload waits for is said when it begins to', () => {
  expect(said.text).toMatch(/^tea.gguf: .*waits/);
  expect(newsOf([waiting], new Map(), noNews).text).toBe('');
});

test('it stands while it is true, and no longer', () => {
  const other = uploadWith({ id: 'b' });
  expect(newsOf([waiting, other], phasesOf([waiting]), said)).toBe(said);
  expect(newsOf([other], phasesOf([waiting, other]), said).text).toBe('');
  expect(newsOf([{ ...waiting, phase: 'checking' }], phasesOf([waiting]), said).text).toBe('');
});
