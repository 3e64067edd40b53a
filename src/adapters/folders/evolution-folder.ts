import { readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import {
  byName,
  Evolution,
  isEvolutionFile,
  largestRead,
  type SeriesSummary,
  summarizeSeries,
} from '../../models/evolution/series.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import type { SourceFile } from '../../vault/subject.ts';
import { diskRefusal } from '../disk-refusal.ts';
import { sameTree } from './kept-folder.ts';
import { readTree } from './tree.ts';

/** The snapshots of a run, as they lie in a folder. */
export interface EvolutionFolder {
  readonly path: string;
  /** Relative to it. */
  readonly files: readonly SourceFile[];
  readonly size: number;
  /** What lies there beside them, and is not kept. */
  readonly left: readonly string[];
  readonly metrics: readonly SeriesSummary[];
  /** What of them is no JSON: kept, and not drawn. */
  readonly problems: readonly string[];
  /** Throws `refused` when the folder is not what was read. */
  assertUnchanged(): Promise<void>;
}

/** Reads the JSON and JSON lines in a folder, however deep. Throws `notFound`, or `usage` where there are none. */
export async function readEvolution(given: string): Promise<EvolutionFolder> {
  const path = await folderAt(given);
  const tree = await readTree(path);
  const files = tree.files
    .filter((file) => isEvolutionFile(file.path))
    .sort((a, b) => byName(a.path, b.path));
  if (files.length === 0) {
    throw new AixclError(
      'usage',
      `the folder ${quoted(given)} holds no snapshots of a run: no JSON, no JSON lines`,
      {
        hint: `ls -laR ${shellWord(given)}`,
      },
    );
  }
  const evolution = new Evolution();
  for (const { path: name, identity } of files) {
    if (identity.size > largestRead) evolution.problems.push(`${name}: too large to be drawn`);
    else evolution.add(name, await textOf(join(path, name)));
  }
  return {
    path,
    files: files.map(({ path: name, identity }) => ({
      path: name,
      size: identity.size,
      digest: null,
      proven: false,
      bytes: { kind: 'file', path: join(path, name) },
    })),
    size: files.reduce((sum, { identity }) => sum + identity.size, 0),
    left: [
      ...tree.files.filter((file) => !isEvolutionFile(file.path)).map((file) => file.path),
      ...tree.links.map((link) => link.path),
      ...tree.odd.map((odd) => odd.path),
    ].sort(byName),
    metrics: evolution.series().map(summarizeSeries),
    problems: evolution.problems,
    async assertUnchanged() {
      if (sameTree(tree, await readTree(path))) return;
      throw new AixclError('refused', `${quoted(given)} changed while it was saved`, {
        hint: 'Let the run finish, then run the command again.',
      });
    },
  };
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw diskRefusal(error, path, path);
  });
}

async function folderAt(given: string): Promise<string> {
  const path = resolve(given);
  const stats = await stat(path).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    throw new AixclError('notFound', `there is no folder ${quoted(given)}`, {
      hint: `ls -la ${shellWord(given)}`,
    });
  });
  if (stats.isDirectory()) return await realpath(path);
  throw new AixclError('usage', `--evolution takes a folder, and ${quoted(given)} is none`, {
    hint: 'Put the snapshots of the run into a folder of their own.',
  });
}
