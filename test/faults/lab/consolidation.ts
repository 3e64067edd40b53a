/** What must hold of a consolidation, whatever happened to it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  baseName,
  type ConsolidationHome,
  consolidationHome,
  outputName,
} from '../../setup/consolidation.ts';
import { dockerApi, type Outcome, resetEngine, spawnAixcl } from '../../setup/engine-test.ts';
import { contentOf, isSaved, type SavedSnapshot } from './oracle.ts';
import { until } from './until.ts';

/** Milliseconds in which an interrupted command ends, whatever it was at. */
export const soon = 3000;

export async function home(wish: Parameters<typeof consolidationHome>[0] = {}): Promise<ConsolidationHome> {
  await resetEngine();
  return consolidationHome(wish);
}

/** Nothing is lost, and nothing stands under the output's name that was not seen to work. */
export async function expectNothingLost(at: ConsolidationHome): Promise<readonly SavedSnapshot[]> {
  const saved = await at.saved();
  for (const { id, wrong } of saved) expect({ id, wrong }).toEqual({ id, wrong: [] });
  expect(await contentOf(join(at.models, baseName))).toEqual(at.was.base);
  const adapter = await contentOf(at.adapter);
  const output = await contentOf(at.output);
  if (adapter !== undefined) expect(adapter).toEqual(at.was.adapter);
  else {
    expect(isSaved(saved, at.was.adapter)).toBe(true);
    expect(output).toBeDefined();
  }
  if (output !== undefined) expect(isSaved(saved, output)).toBe(true);
  return saved;
}

/** All is done, once, and nothing else is left. */
export async function expectDone(at: ConsolidationHome, removed: boolean): Promise<void> {
  const saved = await expectNothingLost(at);
  expect(await contentOf(at.output)).toBeDefined();
  expect(await contentOf(at.adapter)).toEqual(removed ? undefined : at.was.adapter);
  const versions = saved.map(({ id }) => id).filter((id) => id.includes('@'));
  expect(versions.sort()).toEqual([`${at.adapter}@v001`, `${outputName}@v001`]);
  expect(await left(at)).toEqual([]);
}

/** What lies where models are made, and helper containers. */
export async function left(at: ConsolidationHome): Promise<string[]> {
  const staged = await readdir(join(at.models, '.aixcl', 'consolidating')).catch(() => []);
  return [...staged, ...(await helpers())];
}

async function helpers(): Promise<string[]> {
  const all = await dockerApi().listContainers({ all: true });
  return all.flatMap(({ Names }) => Names).filter((name) => name.includes('aixcl-helper'));
}

interface Interrupted extends Outcome {
  /** Milliseconds from the signal to its end. */
  readonly took: number;
}

/** Sends `signal`, or does what it says, once the journal says that the command is at the `nth` step of this kind; undefined where it ended before. */
export async function interruptedAt(
  at: ConsolidationHome,
  args: readonly string[],
  [kind, nth]: readonly [string, number],
  signal: 'SIGINT' | 'SIGKILL' | (() => Promise<void>),
): Promise<Interrupted | undefined> {
  const before = await operations(at);
  const { child, outcome } = spawnAixcl(args, { home: at });
  let over = false;
  child.once('exit', () => {
    over = true;
  });
  await until(async () => {
    if (over) return true;
    if ((await operations(at)) === before) return false;
    return (await at.steps()).filter((each) => each === kind).length > nth;
  });
  const met = !over;
  const began = performance.now();
  if (typeof signal === 'function') await signal();
  else child.kill(signal);
  const ended = await outcome;
  return met ? { ...ended, took: performance.now() - began } : undefined;
}

export async function operations({ root }: ConsolidationHome): Promise<number> {
  const folder = join(root, 'journal');
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.join('').split('"begin"').length;
}

export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}
