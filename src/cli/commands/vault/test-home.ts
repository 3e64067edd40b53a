import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AixclError } from '../../../errors.ts';
import { resolveHome } from '../../../home.ts';
import type { Result } from '../../../plan/step.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Vault } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';

/** For tests: a home without an engine, in a folder that goes with it, and what its commands print. */
export interface TestHome extends AsyncDisposable {
  readonly root: string;
  readonly context: Context;
  /** Runs a command; answers its result, and how it ended where that was an error. */
  run(command: (context: Context) => Promise<void>): Promise<{ result: Result | undefined; error: unknown }>;
}

const task = { update() {}, succeed() {}, fail() {} };

export async function testHome(flags: { readonly dryRun?: boolean } = {}): Promise<TestHome> {
  const root = await mkdtemp(join(tmpdir(), 'aixcl-commands-'));
  let result: Result | undefined;
  const same = (text: string) => text;
  const context = {
    flags: { dryRun: false, waitLock: 0, ...flags },
    env: {},
    home: resolveHome({ AIXCL_HOME: root }),
    signal: new AbortController().signal,
    progress: { start: () => task },
    confirm: async () => {},
    engine: async () => {
      throw new AixclError('engineUnreachable', 'there is no engine here');
    },
    definition: async () => ({ project: 'aixcl', services: new Map(), volumes: new Map() }),
    out: {
      note() {},
      warn() {},
      result(value: Result) {
        result = value;
      },
      paint: { bad: same, good: same, warn: same, dim: same, bold: same },
    },
  } as unknown as Context;
  return {
    root,
    context,
    async run(command) {
      result = undefined;
      const error = await command(context).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return { result, error };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** Writes other bytes over a file that may be read-only, its size kept. */
export async function spoil(path: string, content: string | Buffer): Promise<void> {
  await rm(path);
  await writeFile(path, content);
}

/** A backup of a GGUF of one file, its bytes made from its name; the digits of `operation` are the seconds at which it was made. */
export async function saved(vault: Vault, name: string, operation: string): Promise<Snapshot> {
  const { signal } = new AbortController();
  const content = Buffer.from(`model ${name}`);
  const writer = await vault.open({ holder: 'test', operation, patience: 0, signal });
  try {
    const bytes = { kind: 'memory', content } as const;
    const file = { path: name, size: content.length, digest: null, proven: false, bytes };
    const evidence = await writer.takeIn(file, { way: 'copy', recheck: true, signal });
    const draft = {
      kind: 'backup',
      backupType: 'emergency',
      subject: { runtime: 'llama-server', name },
      created: new Date(Date.UTC(2026, 0, 1, 0, 0, Number(operation.replace(/\D/g, '')))),
      reason: '',
      operation,
      folders: [],
      facts: {},
    } as const;
    return await writer.publish(draft, [{ path: name, evidence }]);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}
