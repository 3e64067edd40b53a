import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PageState } from '../api.ts';
import type { Desk } from '../desk.ts';
import { EventStreams } from './event-streams.ts';
import { type Dialled, type TestPage, testPage } from './test-page.ts';

let page: TestPage;
let cookie: string;

beforeEach(async () => {
  page = await testPage();
  cookie = await page.letIn();
});

afterEach(() => page[Symbol.asyncDispose]());

function watch(): Promise<Dialled> {
  return page.dial(`GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
}

/** State number `index`; `bytes` long or a little more. */
function stateOf(index: number, bytes = 0): PageState {
  return { version: String(index), warnings: ['x'.repeat(bytes)] } as unknown as PageState;
}

function tell(state: PageState): void {
  for (const onState of page.watching) onState(state);
}

function versionsIn(text: string): number[] {
  return [...text.matchAll(/"version":"(\d+)"/g)].map(([, number]) => Number(number));
}

async function until(isSo: () => boolean): Promise<void> {
  await vi.waitUntil(isSo, { timeout: 4000 });
}

test('each state comes as one event of one line', async () => {
  const { socket } = await watch();
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk));
  await until(() => page.watching.size === 1);
  tell(stateOf(1));
  await until(() => heard.includes('"version":"1"'));
  expect(heard).toMatch(/content-type: text\/event-stream/i);
  expect(heard).toContain('event: state\ndata: {"version":"1","warnings":[""]}\n\n');
});

test('who goes is let go', async () => {
  const watchers = await Promise.all([watch(), watch()]);
  await until(() => page.watching.size === 2);
  watchers[0]?.socket.destroy();
  await until(() => page.watching.size === 1);
});

test('who never reads has the server keep one state, and gets the newest when he reads at last', async () => {
  const bytes = 1024 * 1024;
  const deaf = await Promise.all(Array.from({ length: 10 }, watch));
  await until(() => page.watching.size === deaf.length);
  for (const { socket } of deaf) socket.pause();
  const before = process.memoryUsage().rss;
  const count = 200;
  for (let index = 1; index <= count; index += 1) {
    tell(stateOf(index, bytes));
    await delay(2);
  }
  // 2 GB were told to ten watchers in this process; what they are owed is some 10 MB.
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * bytes);
  const [one] = deaf;
  let heard = '';
  one?.socket.on('data', (chunk) => (heard += chunk.toString('latin1'))).resume();
  await until(() => versionsIn(heard).includes(count));
  expect(versionsIn(heard).length).toBeLessThan(count / 4);
});

test('there are never too many', async () => {
  const watchers = await Promise.all(Array.from({ length: 70 }, watch));
  await until(() => page.watching.size === 64);
  await until(() => page.said.filter((line) => line.startsWith('GET /api/events 429')).length === 6);
  for (const { socket } of watchers) socket.destroy();
  await until(() => page.watching.size === 0);
});

test('all end when the service does', async () => {
  const { ended } = await watch();
  await until(() => page.watching.size === 1);
  const began = performance.now();
  await page[Symbol.asyncDispose]();
  expect(await ended).toContain('event: state');
  expect(performance.now() - began).toBeLessThan(900);
  page = await testPage();
});

test('what changes while they end is told to nobody: the service would die of it', async () => {
  let onState = (_state: PageState) => {};
  const watch: Desk['watch'] = (tell) => {
    onState = tell;
    return { [Symbol.dispose]() {} };
  };
  const streams = new EventStreams({ watch } as Desk);
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const errors: Error[] = [];
  response.on('error', (error) => errors.push(error));
  streams.add(request, response);
  streams.end();
  onState(stateOf(1));
  await delay(5);
  expect(errors).toEqual([]);
  response.destroy();
});
