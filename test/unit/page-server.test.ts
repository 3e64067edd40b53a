import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { issueToken } from '../../src/adapters/page-door/door.ts';
import { resolveHome } from '../../src/home.ts';
import type { PageState } from '../../src/upload/api.ts';
import { pageServerOptions } from '../setup/page-server-options.ts';
import { freePort } from '../setup/ports.ts';

/** What the image has, made by `npm run build`. */
const app = fileURLToPath(new URL('../../services/upload-ui/app/', import.meta.url));
const tus = { 'Tus-Resumable': '1.0.0' };

let root: string;
let port: number;
let server: Server;

interface Server {
  readonly process: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'aixcl-page-server-'));
  for (const folder of ['models', 'vault', 'journal']) mkdirSync(join(root, folder));
  port = await freePort();
  server = await start();
});

afterEach(async () => {
  server.process.kill('SIGKILL');
  await server.ended;
  rmSync(root, { recursive: true, force: true });
});

async function start(): Promise<Server> {
  const options = pageServerOptions();
  const child = spawn(process.execPath, [...options.argv, join(app, 'server.cjs')], {
    env: { PATH: process.env.PATH, ...options.env, AIXCL_HOME: root, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const ended = new Promise<Awaited<Server['ended']>>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  await vi.waitUntil(() => said.includes('listens'), { timeout: 10_000 });
  return { process: child, said: () => said, ended };
}

function url(path: string): string {
  return `http://127.0.0.1:${port}${path}`;
}

async function token(): Promise<string> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return (await issueToken(resolveHome({ AIXCL_HOME: root }), owner)).secret;
}

async function letIn(): Promise<string> {
  const { headers } = await fetch(url(`/?token=${await token()}`), { redirect: 'manual' });
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

function health(): number | null {
  const env = { PATH: process.env.PATH, AIXCL_HOME: root, PORT: String(port) };
  return spawnSync(process.execPath, [join(app, 'health.cjs')], { env, stdio: 'ignore' }).status;
}

function dial(text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

/** Of the server, in MB; `peak`: the most that it ever was. */
function memory(which: 'now' | 'peak'): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
  const line = which === 'now' ? /VmRSS:\s+(\d+) kB/ : /VmHWM:\s+(\d+) kB/;
  return Number(line.exec(status)?.[1]) / 1000;
}

/** The kernel counts the peak anew; what starting took is none of what comes after (proc(5), clear_refs). */
function forgetPeak(): void {
  writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5');
}

test('its health check says whether it answers', async () => {
  expect(health()).toBe(0);
  server.process.kill('SIGTERM');
  await server.ended;
  expect(health()).toBe(1);
});

test('asked to end it ends within 5 s, whoever watches and whatever is half sent; a session outlives it', async () => {
  const cookie = await letIn();
  const made = await fetch(url('/uploads'), {
    method: 'POST',
    headers: { ...tus, cookie, 'Upload-Length': '100000', 'Upload-Metadata': 'filename eC5nZ3Vm' },
  });
  expect(made.status).toBe(201);
  const path = new URL(made.headers.get('location') ?? '', url('/')).pathname;
  const watcher = await dial(`GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
  watcher.on('error', () => undefined);
  const sender = await dial(
    `PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
      `Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(5000)}`,
  );
  sender.on('error', () => undefined);
  await vi.waitUntil(async () => {
    const { uploads } = (await (await fetch(url('/api/state'), { headers: { cookie } })).json()) as PageState;
    return uploads.some(({ received }) => received > 0);
  });
  const began = performance.now();
  server.process.kill('SIGTERM');
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(5000);

  server = await start();
  const { status, headers } = await fetch(url(path), { method: 'HEAD', headers: { ...tus, cookie } });
  expect([status, headers.get('upload-offset')]).toEqual([200, '5000']);
});

test('headers without end and watchers who never read take no memory', async () => {
  const cookie = await letIn();
  const watch = `GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`;
  const watchers = await Promise.all(Array.from({ length: 40 }, () => dial(watch)));
  for (const socket of watchers) socket.on('error', () => undefined).pause();
  forgetPeak();
  const before = memory('now');
  const endless = Array.from({ length: 40 }, async () => {
    const socket = await dial('GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ');
    const chunk = 'a'.repeat(256 * 1024);
    const send = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.resume().on('drain', send);
    send();
    await new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => resolve()));
  });
  await Promise.all(endless);
  expect(memory('peak') - before).toBeLessThan(60);
  expect(memory('peak')).toBeLessThan(150);
  for (const socket of watchers) socket.destroy();
});

test('what it says on its streams never holds a token or a session', async () => {
  const used = await token();
  const cookie = await letIn();
  for (const [path, headers] of [
    [`/?token=${used}`, {}],
    [`/?token=${used}`, {}],
    [`/api/state?token=${used}`, { cookie }],
    [`/api/none?token=${used}`, { cookie }],
    [`/uploads/0f3a?token=${used}`, { cookie, ...tus }],
  ] as const) {
    await fetch(url(path), { headers, redirect: 'manual' });
  }
  await vi.waitUntil(() => server.said().includes('/uploads/0f3a'));
  expect(server.said()).not.toContain(used);
  expect(server.said()).not.toContain(cookie.split('=')[1]);
});
