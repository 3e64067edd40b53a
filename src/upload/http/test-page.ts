import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '../../adapters/page-door/door.ts';
import { AixclError } from '../../errors.ts';
import { type Home, resolveHome } from '../../home.ts';
import type { PageState } from '../api.ts';
import type { Desk, Receiving } from '../desk.ts';
import { hostList } from './admission.ts';
import type { Assets } from './assets.ts';
import { ownLimits, serve } from './serve.ts';

/** The page's server as it is, on a port of its own, over a desk that does nothing. */
export interface TestPage extends AsyncDisposable {
  readonly home: Home;
  readonly port: number;
  readonly origin: string;
  /** All that it said of itself. */
  readonly said: string[];
  /** What `desk` was asked for: `activate NAME`. */
  readonly done: string[];
  /** Whom the desk tells of the state. */
  readonly watching: Set<(state: PageState) => void>;
  /** `Cookie` of a browser that was let in. */
  letIn(): Promise<string>;
  /** A one-time token. */
  token(): Promise<string>;
  /** A connection on which `text` was sent. */
  dial(text?: string): Promise<Dialled>;
}

export interface Dialled {
  readonly socket: Socket;
  /** All that came until the other side ended it. */
  readonly ended: Promise<string>;
}

export const testState = { version: '0', models: [] } as unknown as PageState;

export async function testPage(
  options: {
    readonly assets?: Assets;
    readonly allowedHosts?: string;
    readonly clock?: () => number;
    readonly limits?: Partial<typeof ownLimits>;
    readonly desk?: Partial<Desk>;
    readonly receiving?: Partial<Receiving>;
  } = {},
): Promise<TestPage> {
  const root = mkdtempSync(join(tmpdir(), 'aixcl-page-'));
  const home = resolveHome({ AIXCL_HOME: root });
  const said: string[] = [];
  const done: string[] = [];
  const watching = new Set<(state: PageState) => void>();
  const parts = {
    desk: { ...deskOf(done, watching), ...options.desk },
    receiving: { ...receivingOf(), ...options.receiving },
    assets: options.assets ?? new Map(),
    allowedHosts: hostList(options.allowedHosts),
    ...(options.clock && { clock: options.clock }),
    log: {
      request: (line: string) => said.push(line),
      problem: (error: unknown) => said.push(String(error)),
    },
  };
  const serving = await serve(
    home,
    parts,
    { host: '127.0.0.1', port: 0 },
    { ...ownLimits, ...options.limits },
  );
  const origin = `http://127.0.0.1:${serving.port}`;
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const token = async () => (await issueToken(home, owner)).secret;
  return {
    home,
    port: serving.port,
    origin,
    said,
    done,
    watching,
    token,
    async letIn() {
      const { headers } = await fetch(`${origin}/?token=${await token()}`, { redirect: 'manual' });
      return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    },
    dial: (text) => dial(serving.port, text),
    async [Symbol.asyncDispose]() {
      await serving.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function deskOf(done: string[], watching: Set<(state: PageState) => void>): Desk {
  const job = (what: string) => async () => {
    done.push(what);
    return { id: 'j', kind: 'activate' } as never;
  };
  const named = (what: string) => (name: string) => job(`${what} ${name}`)();
  return {
    state: async () => testState,
    watch(onState) {
      watching.add(onState);
      onState(testState);
      return { [Symbol.dispose]: () => void watching.delete(onState) };
    },
    activate: named('activate'),
    removal: named('removal'),
    remove: named('remove'),
    restoration: named('restoration'),
    restore: named('restore'),
    verify: named('verify'),
    undo: named('undo'),
    job: (id) => {
      throw new AixclError('notFound', `there is no job ${id}`);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Takes in what comes, and answers with how much it was. */
function receivingOf(): Receiving {
  return {
    async handle(request, response) {
      let bytes = 0;
      for await (const chunk of request) bytes += (chunk as Buffer).length;
      response.writeHead(204, { 'Upload-Offset': String(bytes) }).end();
    },
    list: async () => [],
    replace: async () => undefined,
    check: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function dial(port: number, text = ''): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      resolve({ socket, ended });
    });
    const ended = new Promise<string>((done) => {
      let heard = '';
      socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
      socket.on('close', () => done(heard));
    });
    socket.on('error', reject);
  });
}
