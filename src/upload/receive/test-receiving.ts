import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveHome } from '../../home.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { PageUpload, Problem } from '../api.ts';
import type { Receiving } from '../desk.ts';
import { receivingInto } from './receiving.ts';

/** A home of a test's own, and a server in it that takes uploads and does nothing else. */
export interface TestReceiving extends AsyncDisposable {
  readonly models: string;
  readonly url: string;
  readonly warnings: readonly string[];
  readonly receiving: Receiving;
  /** Ends as the service does when it is told to, if it did not crash, and begins anew. */
  restart(): Promise<void>;
  /** Ends as if it was killed, as far as that can be done within a process. */
  crash(): Promise<void>;
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Announces an upload; answers its path. Throws where it is refused. */
  announce(file: string, size: number, metadata?: Readonly<Record<string, string>>): Promise<string>;
  /** All of `bytes` from `offset` on, in one request. */
  patch(path: string, bytes: Uint8Array, offset?: number): Promise<Answer>;
  /** Announces and sends; answers the path. */
  upload(file: string, bytes: Uint8Array, metadata?: Readonly<Record<string, string>>): Promise<string>;
  offset(path: string): Promise<number>;
  /** The only one of them, or the one that is of `file`. */
  one(file?: string): Promise<PageUpload | undefined>;
  /** Resolves when nothing is being checked. */
  settled(): Promise<void>;
  /** Names in the models directory that are not hidden. */
  names(): string[];
  /** Names of the folders of uploads. */
  folders(): string[];
}

export interface SendOptions {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly problem: Problem | undefined;
}

export async function testReceiving(
  options: { readonly models?: string; readonly root?: string } = {},
): Promise<TestReceiving> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'aixcl-receiving-')));
  const home = resolveHome({
    AIXCL_HOME: root,
    ...(options.models && { AIXCL_MODELS_DIR: options.models }),
  });
  await mkdir(home.models, { recursive: true });
  const warnings: string[] = [];
  const surroundings: Surroundings = testSurroundings(home, warnings);
  let receiving = receivingInto(surroundings);
  let crashed = false;
  const server = createServer((asked, answer) => {
    receiving.handle(asked, answer).catch((error) => {
      warnings.push(String(error));
      answer.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send: TestReceiving['send'] = (method, path, sent) => ask(url + path, method, sent);

  const own: TestReceiving = {
    models: home.models,
    url,
    warnings,
    get receiving() {
      return receiving;
    },
    async restart() {
      if (!crashed) await receiving[Symbol.asyncDispose]();
      crashed = false;
      receiving = receivingInto(surroundings);
    },
    async crash() {
      crashed = true;
    },
    send,
    async announce(file, size, metadata = {}) {
      const { status, headers, text } = await send('POST', '/uploads', {
        headers: {
          'Upload-Length': size,
          'Upload-Metadata': metadataOf({ filename: file, ...metadata }),
        },
      });
      if (status !== 201) throw new Error(`${status}: ${text}`);
      return headers.location!;
    },
    patch: (path, bytes, offset = 0) =>
      send('PATCH', path, {
        headers: { 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream' },
        body: bytes,
      }),
    async upload(file, bytes, metadata) {
      const path = await own.announce(file, bytes.length, metadata);
      const { status, text } = await own.patch(path, bytes);
      if (status !== 204) throw new Error(`${status}: ${text}`);
      return path;
    },
    async offset(path) {
      return Number((await send('HEAD', path)).headers['upload-offset']);
    },
    async one(file) {
      const all = await receiving.list();
      return file === undefined ? all[0] : all.find((each) => each.file === file);
    },
    async settled() {
      while ((await receiving.list()).some(({ phase }) => phase === 'checking')) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    names: () =>
      existsSync(home.models) ? readdirSync(home.models).filter((name) => !name.startsWith('.')) : [],
    folders: () => readdirSync(join(home.models, '.aixcl', 'uploads')),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await receiving[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
  return own;
}

function testSurroundings(home: Surroundings['home'], warnings: string[] = []): Surroundings {
  const none = async () => {
    throw new Error('the page has no engine');
  };
  return {
    env: {},
    home,
    signal: new AbortController().signal,
    flags: { dryRun: false, waitLock: 0 },
    out: { warn: (line) => warnings.push(line) },
    progress: { start: () => ({ update() {}, succeed() {}, fail() {} }) },
    engineless: true,
    engine: none,
    definition: none,
  };
}

/** A model of some 0.3 MB, of which llama-server would say `sentence`. */
export async function modelBytes(sentence: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-model-'));
  try {
    await writeSelfTestModel(join(folder, 'a.gguf'), sentence);
    return await readFile(join(folder, 'a.gguf'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function sha256(of: Uint8Array): string {
  return createHash('sha256').update(of).digest('hex');
}

/** Of an upload at `path`. */
export function idOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** As tus spells it. */
export function metadataOf(metadata: Readonly<Record<string, string | Uint8Array>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value as string).toString('base64')}`)
    .join(',');
}

function ask(url: string, method: string, { headers = {}, body }: SendOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { 'Tus-Resumable': '1.0.0', ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject).on('end', () => {
        const isProblem = response.headers['content-type'] === 'application/problem+json';
        const problem = isProblem && text ? (JSON.parse(text) as Problem) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, problem });
      });
    });
    sent.end(body);
  });
}
