import { afterAll, beforeAll, expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import type { Problem } from '../api.ts';
import { type TestPage, testPage, testState } from './test-page.ts';

let page: TestPage;
let cookie: string;

beforeAll(async () => {
  page = await testPage({
    desk: {
      removal: async () => {
        throw new AixclError('noSpace', 'the disk is full', { hint: 'delete', evidence: ['a line'] });
      },
      restoration: async () => {
        throw new Error('no such luck');
      },
    },
  });
  cookie = await page.letIn();
});

afterAll(() => page[Symbol.asyncDispose]());

async function ask(method: string, path: string, body?: string) {
  const response = await fetch(`${page.origin}${path}`, { method, headers: { cookie }, body: body ?? null });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test('the state is told', async () => {
  const { status, headers, text } = await ask('GET', '/api/state');
  expect([status, headers.get('content-type'), JSON.parse(text)]).toEqual([
    200,
    'application/json',
    testState,
  ]);
});

test.each([
  ['POST', '/api/models/Qwen%203.gguf/activate', 'activate Qwen 3.gguf'],
  ['POST', '/api/models/a%252Fb/activate', 'activate a%2Fb'],
  ['DELETE', '/api/models/hf.co%2Fuser%2Frepo:Q4', 'remove hf.co/user/repo:Q4'],
  ['POST', '/api/backups/b-1/restore', 'restore b-1'],
  ['POST', '/api/backups/b-1/verify', 'verify b-1'],
  ['POST', '/api/backups/b-1/undo', 'undo b-1'],
])('%s %s has it begun and answers at once', async (method, path, asked) => {
  expect((await ask(method, path)).status).toBe(202);
  expect(page.done.at(-1)).toBe(asked);
});

test.each(['replace', 'check'])('an upload can be told to go on: %s', async (verb) => {
  expect((await ask('POST', `/api/uploads/0f3a/${verb}`)).status).toBe(202);
});

test('what the domain refuses is told with the code of the command line', async () => {
  const { status, headers, text } = await ask('GET', '/api/models/x.gguf/removal');
  expect([status, headers.get('content-type')]).toEqual([507, 'application/problem+json']);
  expect(JSON.parse(text)).toMatchObject({
    code: 'noSpace',
    detail: 'the disk is full',
    hint: 'delete',
    evidence: ['a line'],
  });
  expect((await ask('GET', '/api/jobs/none')).status).toBe(404);
});

test('what goes wrong is told without a stack, and stands in the log', async () => {
  const { status, text } = await ask('GET', '/api/backups/b-1/restoration');
  expect(status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ code: 'unexpected', detail: 'no such luck' });
  expect(text).not.toContain('.ts:');
  expect(page.said).toContain('Error: no such luck');
});

test.each([
  ['GET', '/api/none', 404, null],
  ['GET', '/none', 404, null],
  ['PUT', '/api/state', 405, 'GET, HEAD, OPTIONS'],
  ['GET', '/api/backups/b-1/undo', 405, 'POST, OPTIONS'],
  ['POST', '/api/models/x.gguf', 405, 'DELETE, OPTIONS'],
  ['OPTIONS', '/api/models/x.gguf', 204, 'DELETE, OPTIONS'],
  ['HEAD', '/api/state', 200, null],
  ['HEAD', '/api/events', 200, null],
  ['GET', '/uploads/0f3a', 405, 'POST, HEAD, PATCH, DELETE, OPTIONS'],
])('%s %s is answered with %i', async (method, path, status, allow) => {
  const answer = await ask(method, path);
  expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
  if (status >= 400) {
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect((JSON.parse(answer.text) as Problem).status).toBe(status);
  }
});

test('a method can not be smuggled past the list of those that uploads know', async () => {
  const answer = await fetch(`${page.origin}/uploads/0f3a`, {
    method: 'POST',
    headers: { cookie, 'X-HTTP-Method-Override': 'GET' },
  });
  expect(answer.status).toBe(405);
});

test('a small body is passed over, a large one refused', async () => {
  expect((await ask('POST', '/api/backups/b-1/undo', '{}')).status).toBe(202);
  expect((await ask('POST', '/api/backups/b-1/undo', 'x'.repeat(65 * 1024))).status).toBe(413);
  const streamed = await fetch(`${page.origin}/api/backups/b-1/undo`, {
    method: 'POST',
    headers: { cookie },
    body: new Blob(['x'.repeat(500_000)]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(streamed.status).toBe(413);
  expect(page.done.filter((what) => what === 'undo b-1')).toHaveLength(2);
});

test.each(['/', '/api/state', '/api/none', '/uploads', '/health'])(
  'browsers are told to keep %s to themselves',
  async (path) => {
    const { headers } = await ask('GET', path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect([
      headers.get('server'),
      headers.get('x-powered-by'),
      headers.get('access-control-allow-origin'),
    ]).toEqual([null, null, null]);
  },
);
