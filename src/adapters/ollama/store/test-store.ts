import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { OllamaStore } from '../../../models/ollama/store.ts';
import { Receipts } from '../../vault/receipts.ts';
import { DirectoryStore } from './directory-store.ts';
import { DirectoryWriter } from './directory-writer.ts';
import { proofsBy } from './proofs.ts';

const run = promisify(execFile);

/** Ollama's store in the folder `models`, with receipts under `receipts`, for tests. */
export function directoryStore(models: string, receipts: string): OllamaStore {
  const proofs = proofsBy(new Receipts(receipts));
  const writer = (operation: string) => DirectoryWriter.open(models, operation, proofs);
  return new DirectoryStore({ models, proofs, writer });
}

/** The hand of a test in a folder of this machine. */
export function folderHand(models: string) {
  return {
    async put(path: string, content: Buffer): Promise<void> {
      await mkdir(dirname(join(models, path)), { recursive: true });
      await writeFile(join(models, path), content);
    },
    read: (path: string): Promise<Buffer | undefined> => readFile(join(models, path)).catch(() => undefined),
    sh: async (script: string): Promise<string> => (await run('sh', ['-ec', script], { cwd: models })).stdout,
  };
}
