import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { Upload } from 'tus-js-client';
import { installPackages } from '../../src/adapters/debian/apt.ts';
import { runCommand } from '../../src/adapters/debian/run-command.ts';
import type { PageState } from '../../src/upload/api.ts';
import { upload } from '../browser/driver.ts';
import { startChromium } from '../setup/chromium.ts';
import { writeModelOfSize } from '../setup/noisy-model.ts';
import { median } from './compare.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const size = 2 ** 30;
/** As the page has it. */
const chunk = 4 * 2 ** 20;
const atOnce = 8;
/** Times as long as `curl -T` at most. */
const aim = 1 / 0.7;
const gateBytes = 150e6;

/** Sends a file, and is back when the server has answered its last byte. */
type Client = (server: PageServer, file: string) => Promise<void>;

/**
 * `npm run bench -- upload`: a GGUF of 1 GiB to the page's server against `curl -T` to a plain file server, over loopback, onto the same disk, in
 * turn. Until the last byte is answered; what comes after it, checks and name, is held against syncing and hashing. On `AIXCL_BENCH_DIR`, or
 * where temporary files lie. Answers how many aims were missed.
 */
export async function benchUpload(wantedRuns: number, wanted: readonly string[]): Promise<number> {
  await installPackages(['curl'], { report: (line) => process.stderr.write(`bench: ${line}\n`) });
  const root = await mkdtemp(join(process.env.AIXCL_BENCH_DIR ?? tmpdir(), 'aixcl-bench-'));
  const runs = Math.max(3, Math.round(wantedRuns / 5));
  const isWanted = (name: string) => wanted.length === 0 || wanted.some((part) => name.includes(part));
  let browser: Browser | undefined;
  try {
    const file = join(root, 'upload.gguf');
    await writeModelOfSize(file, { sentence: 'I was uploaded.', seed: 'bench', size });
    const clients: Readonly<Record<string, Client>> = {
      'upload, one request': sendByCurl,
      'upload, tus-js-client': sendByTus,
      'upload, Chromium': async (server, path) => {
        browser ??= await startChromium();
        await sendByPage(browser, server, path);
      },
    };
    let missed = 0;
    for (const [name, client] of Object.entries(clients))
      if (isWanted(name)) missed += await measure(name, { client, root, file, runs });
    if (isWanted('upload, 8 at once')) missed += await manyAtOnce(root);
    return missed;
  } finally {
    await browser?.close();
    await rm(root, { recursive: true, force: true });
  }
}

interface Measured {
  readonly client: Client;
  readonly root: string;
  readonly file: string;
  readonly runs: number;
}

async function measure(name: string, { client, root, file, runs }: Measured): Promise<number> {
  const times = {
    sent: [] as number[],
    published: [] as number[],
    plain: [] as number[],
    hashed: [] as number[],
  };
  let peak = 0;
  for (let run = -1; run < runs; run += 1) {
    await runCommand('sync', []);
    const mine = await toThePage(client, root, file);
    await runCommand('sync', []);
    const theirs = await toPlainServer(root, file);
    if (run < 0) continue;
    times.sent.push(mine.sent);
    times.published.push(mine.published);
    times.plain.push(theirs.sent);
    times.hashed.push(theirs.hashed);
    peak = Math.max(peak, mine.peak);
  }
  const [sent, published] = [median(times.sent), median(times.published)];
  const [plain, hashed] = [median(times.plain), median(times.hashed)];
  const misses = [
    ...(sent / plain > aim ? [`aim ${aim.toFixed(2)}, missed`] : []),
    ...(peak > gateBytes ? [`aim ${gateBytes / 1e6} MB, missed`] : []),
  ];
  tell(
    name,
    `${(sent / plain).toFixed(2)} x curl -T (${ms(sent)} against ${ms(plain)}; published ` +
      `${(published / hashed).toFixed(2)} x curl -T + sync + sha256sum, ${ms(published)} against ${ms(hashed)}; ` +
      `peak ${megabytes(peak)}${misses.map((miss) => `; ${miss}`).join('')})`,
  );
  return misses.length > 0 ? 1 : 0;
}

/** Milliseconds, from the first byte on. */
async function toThePage(client: Client, root: string, file: string) {
  await using server = await startPageServer(root);
  const begin = performance.now();
  await client(server, file);
  const sent = performance.now() - begin;
  const model = join(server.models, basename(file));
  while (!(await stat(model).catch(() => undefined))) await delay(10);
  return { sent, published: performance.now() - begin, peak: server.peak() };
}

/** Likewise. */
async function toPlainServer(root: string, file: string) {
  const folder = join(root, 'plain');
  await mkdir(folder);
  const program = join(dirname(process.argv[1] as string), 'plain-server.mjs');
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = await once(child.stdout, 'data');
    const copy = join(folder, basename(file));
    const begin = performance.now();
    await curl('-T', file, `http://127.0.0.1:${String(port).trim()}/${basename(file)}`);
    const sent = performance.now() - begin;
    await runCommand('sync', [copy, folder]);
    await runCommand('sha256sum', [copy]);
    return { sent, hashed: performance.now() - begin };
  } finally {
    child.kill();
    await rm(folder, { recursive: true });
  }
}

/** What the memory of the server comes to. */
async function manyAtOnce(root: string): Promise<number> {
  const each = size / 4;
  const files = Array.from({ length: atOnce }, (_, at) => join(root, `many-${at}.gguf`));
  for (const file of files)
    await writeModelOfSize(file, { sentence: 'I am one of many.', seed: basename(file), size: each });
  await using server = await startPageServer(root);
  const begin = performance.now();
  await Promise.all(files.map((file) => sendByTus(server, file)));
  const took = performance.now() - begin;
  const missed = server.peak() > gateBytes;
  tell(
    `upload, ${atOnce} at once`,
    `${megabytes((atOnce * each) / (took / 1000))}/s (${ms(took)}; peak ${megabytes(server.peak())}` +
      `${missed ? `; aim ${gateBytes / 1e6} MB, missed` : ''})`,
  );
  return missed ? 1 : 0;
}

async function sendByCurl({ url, cookie }: PageServer, file: string): Promise<void> {
  const tus = { cookie, 'tus-resumable': '1.0.0' };
  const { headers } = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { ...tus, 'upload-length': String(size), 'upload-metadata': `filename ${btoa(basename(file))}` },
  });
  const where = new URL(headers.get('location') ?? '', url).href;
  const patch = { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  const named = Object.entries(patch).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  await curl('-X', 'PATCH', ...named, '-T', file, where);
}

async function sendByTus({ url, cookie }: PageServer, file: string): Promise<void> {
  const { size: uploadSize } = await stat(file);
  await new Promise<void>((resolve, reject) => {
    new Upload(createReadStream(file), {
      endpoint: `${url}/uploads`,
      headers: { cookie },
      metadata: { filename: basename(file) },
      chunkSize: chunk,
      uploadSize,
      retryDelays: null,
      onSuccess: () => resolve(),
      onError: reject,
    }).start();
  });
}

/** As somebody does it in the page. */
async function sendByPage(browser: Browser, server: PageServer, file: string): Promise<void> {
  await using page = await browser.newPage();
  await page.goto(server.address);
  await upload(page, [file]);
  for (let left = true; left; await delay(20)) {
    const state = (await (
      await fetch(`${server.url}/api/state`, { headers: { cookie: server.cookie } })
    ).json()) as PageState;
    left = state.models.length === 0 && !state.uploads.some(({ phase }) => phase !== 'receiving');
  }
}

async function curl(...args: readonly string[]): Promise<void> {
  await runCommand('curl', ['-sS', '--fail', '-o', '/dev/null', ...args]);
}

function tell(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(34)} ${text}\n`);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
