import { expect, test } from 'vitest';
import { pullFailure } from './pull-failure.ts';

const get = (host: string) => `pull model manifest: Get "https://${host}/v2/x/y/manifests/latest": dial tcp`;

test.each([
  ['hf.co/x/y', `${get('hf.co')}: lookup hf.co on 127.0.0.11:53: no such host`, 'hf.co: its name'],
  [
    'tea',
    `${get('registry.ollama.ai')}: lookup registry.ollama.ai: server misbehaving`,
    'registry.ollama.ai: ',
  ],
  [
    'tea',
    `${get('registry.ollama.ai')}: lookup registry.ollama.ai on 127.0.0.11:53: i/o timeout`,
    'its name',
  ],
  [
    '127.0.0.1:5000/a/b',
    `${get('127.0.0.1')} 127.0.0.1:5000: connect: connection refused`,
    ':5000: it refuses',
  ],
  ['tea', `${get('registry.ollama.ai')} 1.2.3.4:443: i/o timeout`, 'does not answer in time'],
])('of %s that can not be reached the registry is named in plain words', (name, said, words) => {
  const error = pullFailure(name, said);
  expect(error.message).toContain("Ollama can't reach the registry ");
  expect(error.message).toContain(words);
  expect(error.message).not.toContain('dial tcp');
  expect(error.evidence).toEqual([said]);
});

test('anything else is told in the words of Ollama', () => {
  expect(pullFailure('tea', 'max retries exceeded').message).toBe(
    'Ollama could not pull tea: max retries exceeded',
  );
});
