import { expect, test } from 'vitest';
import type { PageActivation, PageJob } from '../../api.ts';
import { stateWith } from '../test-state.ts';
import { courseOf, servingOf, setbackOf } from './serving.ts';

const activation = (more: Partial<PageActivation>): PageActivation => ({
  ...stateWith().activation,
  ...more,
});

test('what is served is said', () => {
  const ready = activation({ phase: 'ready', active: 'tea.gguf' });
  expect(servingOf(ready, 'healthy')).toMatchObject({ tone: 'good', headline: 'tea.gguf is served' });
  expect(servingOf(ready, 'unhealthy')).toMatchObject({
    tone: 'bad',
    command: 'aixcl service logs llama-server',
  });
});

test('with nothing to serve it says what to do', () => {
  expect(servingOf(activation({ phase: 'waiting' }), 'waiting').detail).toMatch(/Upload one/);
});

test('stopped, it says what comes at the next start, and how to start it', () => {
  expect(servingOf(activation({ phase: 'ready', active: 'tea.gguf' }), 'stopped')).toMatchObject({
    headline: 'llama-server is stopped',
    detail: 'tea.gguf is served when it starts.',
    command: 'aixcl service start llama-server',
  });
  const asked = activation({ active: 'tea.gguf', wanted: 'milk.gguf' });
  expect(servingOf(asked, 'stopped').detail).toBe('milk.gguf is tried when it starts.');
});

test('while one is tried, it says what is served if that fails', () => {
  const switching = activation({ phase: 'switching', active: 'tea.gguf', loading: 'milk.gguf' });
  expect(servingOf(switching, 'loading')).toMatchObject({
    tone: 'busy',
    headline: 'milk.gguf is loading',
    detail: 'If it does not come up, tea.gguf is served again.',
  });
});

test('gone back, it says from what to what', () => {
  const back = { phase: 'ready', active: 'tea.gguf', wanted: 'milk.gguf' } as const;
  expect(setbackOf(activation({ ...back, result: 'reverted' }))).toBe(
    'milk.gguf did not come up; tea.gguf is served again.',
  );
  expect(setbackOf(activation({ ...back, result: 'refused' }))).toBe(
    'milk.gguf was refused; tea.gguf is still served.',
  );
  expect(setbackOf(activation({ ...back, result: 'applied' }))).toBeNull();
});

const job: PageJob = {
  id: 'j',
  kind: 'activate',
  target: 'milk.gguf',
  began: '',
  ended: null,
  outcome: 'running',
  detail: null,
  done: null,
  total: null,
  problem: null,
  backup: null,
};
const shown = (outcome: PageJob['outcome'], more: Partial<PageActivation>) =>
  courseOf({ ...job, outcome }, activation(more)).map(({ name, state }) => `${name} ${state}`);

test('an activation is asked, switching, healthy, or gone back', () => {
  expect(shown('running', { phase: 'ready', active: 'tea.gguf' })).toEqual([
    'asked now',
    'switching next',
    'healthy next',
  ]);
  expect(shown('running', { phase: 'switching', loading: 'milk.gguf' })).toEqual([
    'asked done',
    'switching now',
    'healthy next',
  ]);
  expect(shown('done', { phase: 'ready', active: 'milk.gguf' })).toEqual([
    'asked done',
    'switching done',
    'healthy done',
  ]);
  expect(shown('failed', { phase: 'ready', wanted: 'milk.gguf', result: 'reverted' })).toEqual([
    'asked done',
    'gone back failed',
  ]);
});

test('asked of a llama-server that is stopped, it stays asked', () => {
  expect(shown('done', { phase: 'ready', active: 'tea.gguf' })).toEqual([
    'asked done',
    'switching next',
    'healthy next',
  ]);
});
