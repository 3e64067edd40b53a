import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import type { TrainingFile } from '../../models/version-facts.ts';
import { shellWord } from '../../shell-word.ts';
import { hexOf } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { hashFile } from '../vault/hashing.ts';
import { readTree } from './tree.ts';

/** A file that was named as training data, or lies in a folder that was. */
export interface TrainingInput extends Omit<TrainingFile, 'sha256'> {
  /** Links followed. */
  readonly real: string;
}

/** Looks for all of them, each once. Throws `notFound` for what is not there, `usage` for a folder without files, `refused` for what is neither. */
export async function findTrainingData(paths: readonly string[]): Promise<TrainingInput[]> {
  const found = new Map<string, TrainingInput>();
  for (const given of paths) {
    const path = resolve(given);
    const stats = await stat(path).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
      throw new AixclError('notFound', `there is no training data ${quoted(given)}`, {
        hint: `ls -la ${shellWord(given)}`,
      });
    });
    const real = await realpath(path);
    if (stats.isFile()) found.set(path, { path, size: stats.size, real });
    else if (stats.isDirectory()) {
      for (const file of await filesIn(given, real)) {
        found.set(join(path, file.path), { ...file, path: join(path, file.path) });
      }
    } else
      throw new AixclError('refused', `the training data ${quoted(given)} is neither file nor folder`, {
        hint: `ls -la ${shellWord(given)}`,
      });
  }
  return [...found.values()];
}

async function filesIn(given: string, real: string): Promise<TrainingInput[]> {
  const { files, odd } = await readTree(real);
  const [first] = odd;
  if (first) {
    throw new AixclError('refused', `${quoted(join(given, first.path))} can't be recorded: ${first.why}`, {
      hint: 'Name the files of the folder that are training data.',
    });
  }
  if (files.length === 0) {
    throw new AixclError('usage', `the folder ${quoted(given)} holds no training data`, {
      hint: `ls -la ${shellWord(given)}`,
    });
  }
  return files.map(({ path, identity }) => ({ path, size: identity.size, real: join(real, path) }));
}

/** Hashes them. They are recorded, not kept. */
export async function recordTrainingData(
  inputs: readonly TrainingInput[],
  { signal, onProgress }: WorkOptions,
): Promise<TrainingFile[]> {
  const recorded: TrainingFile[] = [];
  let before = 0;
  for (const { path, real } of inputs) {
    const begun = before;
    const { digest, identity } = await hashFile(real, {
      signal,
      onProgress: (done) => onProgress?.(begun + done),
    });
    before += identity.size;
    recorded.push({ path, size: identity.size, sha256: hexOf(digest) });
  }
  return recorded;
}
