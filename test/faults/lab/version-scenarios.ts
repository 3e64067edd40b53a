/** Commands on versions, as `scenarios.ts` has those on models and the vault. */
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { peftFiles } from '../../../src/models/test-adapters.ts';
import {
  type Content,
  contentOf,
  type FaultHome,
  isSaved,
  type SavedSnapshot,
  savedIn,
} from './fault-test.ts';
import type { MakeScenario } from './scenarios.ts';

/** An adapter that its owner trains further, with the snapshots of a run beside it. */
async function trained({ scratch }: FaultHome) {
  const [place, evolution] = [join(scratch, 'adapters', 'tea'), join(scratch, 'run')];
  await mkdir(join(evolution, 'deep'), { recursive: true });
  await writeFile(join(evolution, 'deep', 'log.jsonl'), '{"step":1,"loss":2}\n'.repeat(2000));
  const write = async (alpha: number) => {
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    for (const [name, content] of Object.entries(peftFiles({ lora_alpha: alpha })))
      await writeFile(join(place, name), content);
    await writeFile(join(place, 'notes'), `alpha ${alpha} `.repeat(20_000));
    return (await contentOf(place))!;
  };
  const args = ['versions', 'create', place, '--description', 'a/b "c" 🍵', '--evolution', evolution];
  return { place, evolution, write, args };
}

/** What a version of `adapter` holds. */
async function versionOf(adapter: Content, evolution: string): Promise<Content> {
  const under = (folder: string, content: Content) =>
    Object.entries(content).map(([path, hash]) => [`${folder}/${path}`, hash]);
  const run = (await contentOf(evolution))!;
  return Object.fromEntries([...under('adapter', adapter), ...under('evolution_snapshots', run)]);
}

async function saved(home: FaultHome): Promise<SavedSnapshot[]> {
  const all = await savedIn(home.vault);
  for (const { id, wrong } of all) expect({ id, wrong }).toEqual({ id, wrong: [] });
  return all;
}

const create: MakeScenario = async (home) => {
  const { place, evolution, write, args } = await trained(home);
  const adapter = await write(4);
  const version = await versionOf(adapter, evolution);
  return {
    home,
    args,
    prepare: () => rm(home.vault, { recursive: true, force: true }),
    async assertOldOrNew() {
      for (const { content } of await saved(home)) expect(content).toEqual(version);
      expect(await contentOf(place)).toEqual(adapter);
    },
    async assertNew() {
      expect(isSaved(await saved(home), version)).toBe(true);
    },
  };
};

const restore: MakeScenario = async (home) => {
  const { place, evolution, write, args } = await trained(home);
  const old = await write(4);
  await home.must(args);
  const version = await versionOf(old, evolution);
  const standing = await write(8);
  return {
    home,
    args: ['versions', 'restore', `${place}@v001`, '--yes'],
    async prepare() {
      await write(8);
    },
    async assertOldOrNew() {
      const all = await saved(home);
      const live = await contentOf(place);
      expect(isSaved(all, version)).toBe(true);
      if (live !== undefined) expect([old, standing]).toContainEqual(live);
      if (JSON.stringify(live) !== JSON.stringify(standing)) expect(isSaved(all, standing)).toBe(true);
    },
    async assertSettled() {
      expect([old, standing]).toContainEqual(await contentOf(place));
      expect(await readdir(dirname(place))).toEqual([basename(place)]);
    },
    async assertNew() {
      expect(await contentOf(place)).toEqual(old);
      expect(isSaved(await saved(home), standing)).toBe(true);
    },
  };
};

const remove: MakeScenario = async (home) => {
  const { place, evolution, write, args } = await trained(home);
  const version = await versionOf(await write(4), evolution);
  await home.must(args);
  const before = join(home.scratch, 'vault before');
  await cp(home.vault, before, { recursive: true });
  return {
    home,
    args: ['versions', 'delete', `${place}@v001`, '--yes'],
    async prepare() {
      await rm(home.vault, { recursive: true });
      await cp(before, home.vault, { recursive: true });
    },
    async assertOldOrNew() {
      const all = (await saved(home)).filter(
        ({ annotations }) => annotations['io.aixcl.type'] !== 'emergency',
      );
      // Never in both places, and never in none.
      expect(all).toHaveLength(1);
      const { '.version/metadata.json': _record, ...rest } = all[0]!.content;
      expect(rest).toEqual(version);
    },
    async assertNew() {
      // A number that a killed run had claimed is not used again.
      expect((await saved(home)).map(({ id }) => id)).toEqual([expect.stringMatching(/^b\d{4}$/)]);
    },
    doneAlready: [4],
  };
};

export const versionScenarios: Readonly<Record<string, MakeScenario>> = {
  'versions create': create,
  'versions restore, over another adapter': restore,
  'versions delete': remove,
};
