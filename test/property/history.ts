import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type fc from 'fast-check';
import { expect } from 'vitest';
import {
  type Content,
  contentOf,
  type FaultHome,
  isSaved,
  ollamaContent,
  type Run,
  type SavedSnapshot,
  savedIn,
  writeModel,
} from '../faults/lab/fault-test.ts';
import { seedStore } from '../setup/ollama-model.ts';

export const models = ['tea.gguf', 'big', 'leaf'] as const;
export type Name = (typeof models)[number];

/** What must hold, kept beside the real home: whatever was there once is live, or saved, until it is deleted by its name. */
export interface Memory {
  /** By name, every content that may not be lost. */
  readonly owed: Map<Name, Content[]>;
  /** What the last command took away, when it was not interfered with. */
  lastRemoved: { readonly name: Name; readonly content: Content } | undefined;
  commands: number;
  killed: number;
}

export interface Real {
  readonly home: FaultHome;
  /** Two contents of each GGUF model, outside the home. */
  readonly sources: Readonly<Record<Exclude<Name, 'leaf'>, readonly [string, string]>>;
}

/** Where a command is killed: at the Nth of these calls. Null: it is left alone. */
export type Kill = { readonly call: string; readonly nth: number } | null;
export type Step = fc.AsyncCommand<Memory, Real>;

export async function prepare(home: FaultHome): Promise<Real> {
  const folder = join(home.scratch, 'source');
  const sources = { 'tea.gguf': ['tea-1.gguf', 'tea-2.gguf'], big: ['big-1', 'big-2'] } as const;
  for (const [index, file] of sources['tea.gguf'].entries()) {
    await writeModel(join(folder, file), `tea ${index}`, 30_000);
    await writeModel(join(folder, sources.big[index]!, 'model.gguf'), `big ${index}`, 30_000);
    // The same in both: a blob that two snapshots share.
    await writeModel(join(folder, sources.big[index]!, 'mmproj-model.gguf'), 'projector', 9000);
  }
  await mkdir(home.ollama, { recursive: true });
  await seedStore(home.ollama, 'leaf');
  // Shares its weights with the other one.
  await seedStore(home.ollama, 'neighbour', { template: 'neighbour' });
  const at = (names: readonly [string, string]) => [join(folder, names[0]), join(folder, names[1])] as const;
  return { home, sources: { 'tea.gguf': at(sources['tea.gguf']), big: at(sources.big) } };
}

export async function memoryOf(real: Real): Promise<Memory> {
  const memory: Memory = { owed: new Map(), lastRemoved: undefined, commands: 0, killed: 0 };
  await remember(memory, real);
  return memory;
}

export function live({ home }: Real, name: Name): Promise<Content | undefined> {
  if (name !== 'leaf') return contentOf(join(home.models, name));
  return ollamaContent(home.ollama, 'manifests/registry.ollama.ai/library/leaf/latest');
}

/** What is live now may not be lost from now on. */
async function remember(memory: Memory, real: Real): Promise<void> {
  for (const name of models) {
    const content = await live(real, name);
    if (content && !memory.owed.get(name)?.some((each) => same(each, content)))
      memory.owed.set(name, [...(memory.owed.get(name) ?? []), content]);
  }
}

export async function assertNothingLost(memory: Memory, real: Real): Promise<void> {
  const saved = await savedIn(real.home.vault);
  for (const { id, wrong } of saved) expect({ id, wrong }).toEqual({ id, wrong: [] });
  for (const [name, owed] of memory.owed) {
    const standing = await live(real, name);
    for (const content of owed)
      expect({
        name,
        content,
        kept: (standing && same(standing, content)) || isSaved(saved, content),
      }).toEqual({
        name,
        content,
        kept: true,
      });
    // What stands there is whole, and one of those that were ever there.
    if (standing) expect(owed).toContainEqual(standing);
  }
  const neighbour = await ollamaContent(
    real.home.ollama,
    'manifests/registry.ollama.ai/library/neighbour/latest',
  );
  expect(Object.values(neighbour ?? { none: 'missing' })).not.toContain('missing');
}

/** Runs a command, killed or not; afterwards nothing is lost, and any command works again. */
export async function carryOut(
  memory: Memory,
  real: Real,
  args: readonly string[],
  kill: Kill,
): Promise<Run> {
  const inject = kill ? [{ calls: [kill.call], effect: 'signal=SIGKILL' as const, when: kill.nth }] : [];
  const run = await real.home.run(args, { inject });
  memory.commands += 1;
  memory.lastRemoved = undefined;
  if (run.code === 137) memory.killed += 1;
  // Refusals, and what is not there, are answers; a crash is none.
  expect({ args, code: [0, 3, 4, 137].includes(run.code), text: run.stderr }).toMatchObject({ code: true });
  await assertNothingLost(memory, real);
  return run;
}

export async function add(memory: Memory, real: Real, name: 'tea.gguf' | 'big', version: 0 | 1, kill: Kill) {
  const source = real.sources[name][version];
  // Owed from the moment on that it has its name, which is somewhere within the command.
  const content = (await contentOf(source))!;
  const target = name === 'big' ? content : { [name]: Object.values(content)[0]! };
  const before = memory.owed.get(name) ?? [];
  const known = before.some((each) => same(each, target));
  if (!known) memory.owed.set(name, [...before, target]);
  const standing = await live(real, name);
  const run = await real.home.run(['models', 'add', source, '--as', name, '--yes'], {
    inject: kill ? [{ calls: [kill.call], effect: 'signal=SIGKILL', when: kill.nth }] : [],
  });
  memory.commands += 1;
  memory.lastRemoved = undefined;
  if (run.code === 137) memory.killed += 1;
  const now = await live(real, name);
  const arrived = (now && same(now, target)) || isSaved(await savedIn(real.home.vault), target);
  // It never came: nothing is owed of it.
  if (!known && !arrived) memory.owed.set(name, before);
  if (run.code === 0) expect(now).toEqual(target);
  else expect([standing, target, undefined]).toContainEqual(now);
  await assertNothingLost(memory, real);
}

/** Every content that was ever there is brought back under its name, bit for bit. */
export async function assertAllComesBack(memory: Memory, real: Real): Promise<void> {
  for (const [name, owed] of memory.owed) {
    for (const content of owed) {
      const standing = await live(real, name);
      if (standing && same(standing, content)) continue;
      const snapshot = (await savedIn(real.home.vault)).find((each) => same(each.content, content));
      expect(snapshot).toBeDefined();
      await real.home.must(['backups', 'restore', snapshot!.id, '--yes']);
      expect(await live(real, name)).toEqual(content);
      await assertNothingLost(memory, real);
    }
  }
  await real.home.must(['vault', 'verify']);
}

export function same(a: Content, b: Content): boolean {
  const text = (content: Content) => JSON.stringify(Object.entries(content).sort());
  return text(a) === text(b);
}

export async function snapshots({ home }: Real): Promise<SavedSnapshot[]> {
  return savedIn(home.vault);
}
