import { expect, test } from 'vitest';
import { formatRequest, parseActiveFile, parseRequest, parseState } from './activation.ts';
import { activeModel, pendingRequest, standingOf } from './active-model.ts';
import type { ModelName } from './model-name.ts';

const name = 'qwen 3: the best.gguf' as ModelName;

test('a request comes back as it was written', () => {
  const request = { id: 'x-1', name, by: 'cli', time: '2026-01-02T03:04:05.000Z' } as const;
  expect(parseRequest(formatRequest(request))).toEqual(request);
});

test('a request without an id, or for what can be no model, is none', () => {
  expect(parseRequest('name: a.gguf\n')).toBeUndefined();
  expect(parseRequest('id: 1\nname: ../a.gguf\n')).toBeUndefined();
  expect(parseRequest('id: 1\nname: -rf\n')).toBeUndefined();
  expect(parseRequest('')).toBeUndefined();
});

test('the state is read key by key, its log line by line, unknown keys passed over', () => {
  const state = parseState(
    'phase: ready\nactive: a: b.gguf\nlast_good: a.gguf\nmodel:\nwant: c.gguf\nrequest: 7\nresult: reverted\nreason: no: memory\n' +
      'notice: something\nnew_key: 1\ntime: 2026-01-02T03:04:05Z\nlog: first\nlog:   second\nlog:\n',
  );
  expect(state).toEqual({
    phase: 'ready',
    active: 'a: b.gguf',
    lastGood: 'a.gguf',
    model: undefined,
    want: 'c.gguf',
    request: '7',
    superseded: undefined,
    result: 'reverted',
    reason: 'no: memory',
    time: '2026-01-02T03:04:05Z',
    appliedLink: undefined,
    appliedFile: undefined,
    log: ['first', '  second', ''],
  });
});

test('a phase or result that we do not know reads as none', () => {
  expect(parseState('phase: dancing\nresult: perhaps\n')).toMatchObject({
    phase: undefined,
    result: undefined,
  });
});

test('.active_model names a model only as one plain line', () => {
  expect(parseActiveFile('a.gguf\n')).toEqual({ name: 'a.gguf' });
  expect(parseActiveFile('a.gguf')).toEqual({ name: 'a.gguf' });
  expect(parseActiveFile('')).toBeUndefined();
  expect(parseActiveFile(undefined)).toBeUndefined();
  for (const text of [
    '../../etc/passwd\n',
    '/etc/passwd',
    'a\nb\n',
    'a.gguf\r\n',
    '\uFEFFa.gguf\n',
    'a\0b\n',
    '\n',
    '-rf\n',
  ]) {
    expect(parseActiveFile(text), JSON.stringify(text)).toHaveProperty('problem');
  }
});

const nothing = { state: undefined, request: undefined, linked: undefined, written: undefined, problems: [] };

test('what llama-server says counts before link and file, the link before the file', () => {
  const written = 'f.gguf' as ModelName;
  const linked = 'l.gguf' as ModelName;
  expect(activeModel(nothing)).toBeUndefined();
  expect(activeModel({ ...nothing, written })).toBe('f.gguf');
  expect(activeModel({ ...nothing, written, linked })).toBe('l.gguf');
  expect(activeModel({ ...nothing, written, linked, state: parseState('active: s.gguf\n') })).toBe('s.gguf');
});

test('a request is pending until its outcome stands in the state', () => {
  const request = { id: '7', name, by: 'cli', time: '' } as const;
  const pending = (state: string) =>
    pendingRequest({ ...nothing, request, state: parseState(state) }) !== undefined;
  expect(pending('')).toBe(true);
  expect(pending('request: 6\nresult: applied\n')).toBe(true);
  expect(pending('request: 7\nresult: pending\n')).toBe(true);
  expect(pending('request: 7\nresult: applied\n')).toBe(false);
  expect(pending('request: 8\nsuperseded: 7\nresult: pending\n')).toBe(false);
});

test('a model is loading, asked for, active or nothing, in this order', () => {
  const request = { id: '7', name, by: 'cli', time: '' } as const;
  const state = parseState(`phase: switching\nactive: a.gguf\nmodel: ${name}\nrequest: 7\nresult: pending\n`);
  expect(standingOf(name, { ...nothing, request, state })).toBe('loading');
  expect(standingOf('a.gguf', { ...nothing, request, state })).toBe('active');
  expect(standingOf(name, { ...nothing, request })).toBe('asked');
  expect(standingOf('b.gguf', { ...nothing, request, state })).toBe(null);
});
