import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { RecoverOptions } from '../../models/keeper.ts';
import type { ModelName } from '../../models/model-name.ts';
import { makeDirectory, ownershipOf } from '../durable.ts';
import { type FileLock, lockFile } from '../file-lock.ts';
import { namesIn } from '../names-in.ts';

/** Where a model is made before it has its name: on the disk of the models, of which no runtime looks into this folder. */
export interface Staging extends AsyncDisposable {
  readonly path: string;
}

const lockName = 'lock';
/** Holds the id of the operation (of the journal) whose folder it is. */
const operationName = 'operation';

/**
 * Opens the folder in which the model `output` is made; empty. Throws `busy` while another makes one of that name. Disposing it takes all in it
 * away.
 */
export async function openStaging(
  models: string,
  output: ModelName,
  {
    operation,
    ...options
  }: { readonly operation: string; readonly patience: number; readonly signal: AbortSignal },
): Promise<Staging> {
  const path = join(stagingOf(models), createHash('sha256').update(output).digest('hex').slice(0, 24));
  const owner = await ownershipOf(models);
  const wish = { what: `a model called ${output}`, holder: 'aixcl consolidate', owner, ...options };
  const lock = await lockIn(path, () => makeDirectory(path, owner), wish);
  const staging = {
    path,
    async [Symbol.asyncDispose]() {
      try {
        await rm(path, { recursive: true, force: true });
      } finally {
        await lock[Symbol.asyncDispose]();
      }
    },
  };
  try {
    await clear(path);
    await writeFile(join(path, operationName), operation);
    return staging;
  } catch (error) {
    await staging[Symbol.asyncDispose]();
    throw error;
  }
}

/** Takes away what killed consolidations left. What one that lives is making stays. */
export async function reapStaging(
  models: string,
  options: Pick<RecoverOptions, 'signal' | 'settling'>,
): Promise<void> {
  const root = stagingOf(models);
  for (const name of await namesIn(root)) await reap(join(root, name), options);
}

function stagingOf(models: string): string {
  return join(models, '.aixcl', 'consolidating');
}

async function reap(
  path: string,
  { signal, settling }: Pick<RecoverOptions, 'signal' | 'settling'>,
): Promise<void> {
  let lock: FileLock;
  try {
    lock = await lockFile(join(path, lockName), { what: path, holder: 'aixcl', patience: 0, signal });
  } catch (error) {
    if (error instanceof AixclError && error.code === 'busy') return;
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const operation = await readFile(join(path, operationName), 'utf8').catch(() => '');
    if (operation) await settling(operation, 'the model that it was merging is thrown away');
    await rm(path, { recursive: true, force: true });
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

/** The folder may be reaped between our making and our locking. */
async function lockIn(
  path: string,
  make: () => Promise<void>,
  wish: Parameters<typeof lockFile>[1],
): Promise<FileLock> {
  for (let tries = 0; ; tries += 1) {
    await make();
    try {
      return await lockFile(join(path, lockName), wish);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries === 3) throw error;
    }
  }
}

async function clear(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (name !== lockName) await rm(join(path, name), { recursive: true, force: true });
  }
}
