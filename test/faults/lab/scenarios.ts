/** The commands that change models or the vault, each with what must hold whatever happens to it. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type Content, contentOf, type FaultHome, isSaved, savedIn, writeModel } from './fault-test.ts';
import type { Scenario } from './sweep.ts';
import { versionScenarios } from './version-scenarios.ts';

export type MakeScenario = (home: FaultHome) => Promise<Scenario>;

/** What is in the index is whole, whatever happened. */
async function assertVaultWhole({ vault }: FaultHome): Promise<void> {
  for (const { id, wrong } of await savedIn(vault)) expect({ id, wrong }).toEqual({ id, wrong: [] });
}

function isSame(a: Content | undefined, b: Content): boolean {
  return (
    a !== undefined && JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
  );
}

async function assertLiveOrSaved(home: FaultHome, name: string, content: Content): Promise<void> {
  await assertVaultWhole(home);
  const live = await contentOf(join(home.models, name));
  // Never a mixture under the model's own name.
  if (live !== undefined) expect(live).toEqual(content);
  else expect(isSaved(await savedIn(home.vault), content)).toBe(true);
}

const folder = 'big';

/** A model of two files in a folder of its own, and a plain one, outside the home. */
async function sources({ scratch }: FaultHome) {
  const [plain, many] = [join(scratch, 'source', 'tea.gguf'), join(scratch, 'source', folder)];
  await writeModel(plain, 'tea');
  await writeModel(join(many, 'model.gguf'), 'model', 40_000);
  await writeModel(join(many, 'mmproj-model.gguf'), 'projector', 20_000);
  return { plain, tea: (await contentOf(plain))!, many, big: (await contentOf(many))! };
}

const add: MakeScenario = async (home) => {
  const { plain, tea } = await sources(home);
  const target = join(home.models, 'tea.gguf');
  return {
    home,
    args: ['models', 'add', plain],
    prepare: () => rm(target, { force: true }),
    async assertOldOrNew() {
      const live = await contentOf(target);
      if (live !== undefined) expect(live).toEqual(tea);
    },
    async assertNew() {
      expect(await contentOf(target)).toEqual(tea);
    },
  };
};

const remove: MakeScenario = async (home) => {
  const { plain, tea } = await sources(home);
  return {
    home,
    args: ['models', 'remove', 'tea.gguf', '--yes'],
    async prepare() {
      await home.must(['models', 'add', plain]);
    },
    assertOldOrNew: () => assertLiveOrSaved(home, 'tea.gguf', tea),
    async assertNew() {
      expect(await contentOf(join(home.models, 'tea.gguf'))).toBeUndefined();
      await assertLiveOrSaved(home, 'tea.gguf', tea);
    },
    doneAlready: [4],
  };
};

const removeFolder: MakeScenario = async (home) => {
  const { many, big } = await sources(home);
  return {
    home,
    args: ['models', 'remove', folder, '--yes'],
    async prepare() {
      await home.must(['models', 'add', many]);
    },
    assertOldOrNew: () => assertLiveOrSaved(home, folder, big),
    async assertSettled() {
      const outgoing = await contentOf(join(home.models, '.aixcl', 'outgoing'));
      expect(outgoing ?? {}).toEqual({});
      expect([big, undefined]).toContainEqual(await contentOf(join(home.models, folder)));
    },
    async assertNew() {
      expect(await contentOf(join(home.models, folder))).toBeUndefined();
      await assertLiveOrSaved(home, folder, big);
    },
    doneAlready: [4],
  };
};

const undo: MakeScenario = async (home) => {
  const { many, big } = await sources(home);
  return {
    home,
    args: ['undo', '--yes'],
    async prepare() {
      await home.must(['models', 'add', many]);
      await home.must(['models', 'remove', folder, '--yes']);
    },
    assertOldOrNew: () => assertLiveOrSaved(home, folder, big),
    async assertNew() {
      expect(await contentOf(join(home.models, folder))).toEqual(big);
    },
    doneAlready: [4],
  };
};

const backup: MakeScenario = async (home) => {
  const { plain, many, tea, big } = await sources(home);
  await home.must(['models', 'add', plain, many]);
  return {
    home,
    args: ['backups', 'create'],
    // Without it all blobs are there already after the first run.
    prepare: () => rm(home.vault, { recursive: true, force: true }),
    async assertOldOrNew() {
      await assertVaultWhole(home);
      expect(await contentOf(join(home.models, 'tea.gguf'))).toEqual(tea);
      expect(await contentOf(join(home.models, folder))).toEqual(big);
    },
    async assertNew() {
      await assertVaultWhole(home);
      const saved = await savedIn(home.vault);
      expect([isSaved(saved, tea), isSaved(saved, big)]).toEqual([true, true]);
    },
  };
};

/** Over a model of the same name with other bytes. */
const restore: MakeScenario = async (home) => {
  const { plain, tea } = await sources(home);
  const target = join(home.models, 'tea.gguf');
  await home.must(['models', 'add', plain]);
  await home.must(['backups', 'create', 'tea.gguf']);
  const other = join(home.scratch, 'source', 'other.gguf');
  await writeModel(other, 'other');
  const standing = { 'tea.gguf': Object.values((await contentOf(other))!)[0]! };
  return {
    home,
    args: ['backups', 'restore', 'b0001', '--yes'],
    async prepare() {
      await rm(target, { force: true });
      await home.must(['models', 'add', other, '--as', 'tea.gguf']);
    },
    async assertOldOrNew() {
      await assertVaultWhole(home);
      const live = await contentOf(target);
      const saved = await savedIn(home.vault);
      expect(isSaved(saved, tea)).toBe(true);
      if (live !== undefined) expect([tea, standing]).toContainEqual(live);
      if (!isSame(live, standing)) expect(isSaved(saved, standing)).toBe(true);
    },
    async assertSettled() {
      expect([tea, standing]).toContainEqual(await contentOf(target));
    },
    async assertNew() {
      expect(await contentOf(target)).toEqual(tea);
      expect(isSaved(await savedIn(home.vault), standing)).toBe(true);
    },
  };
};

/** A folder that is no model, with files that are to be taken away from it. */
const restoreFolder: MakeScenario = async (home) => {
  const place = join(home.scratch, 'adapters', 'adapter');
  const write = async (text: string) => {
    await rm(place, { recursive: true, force: true });
    await mkdir(join(place, 'snapshots'), { recursive: true });
    await writeFile(join(place, 'weights'), text.repeat(30_000));
    await writeFile(join(place, 'snapshots', `${text}.json`), text);
  };
  await write('old');
  const old = (await contentOf(place))!;
  await home.must(['backups', 'create', place]);
  await write('new');
  const standing = (await contentOf(place))!;
  return {
    home,
    args: ['backups', 'restore', 'b0001', '--yes'],
    prepare: () => write('new'),
    async assertOldOrNew() {
      await assertVaultWhole(home);
      const live = await contentOf(place);
      const saved = await savedIn(home.vault);
      expect(isSaved(saved, old)).toBe(true);
      if (live !== undefined) expect([old, standing]).toContainEqual(live);
      if (!isSame(live, standing)) expect(isSaved(saved, standing)).toBe(true);
    },
    async assertSettled() {
      expect([old, standing]).toContainEqual(await contentOf(place));
      // And nothing lies beside it.
      expect(await readdir(dirname(place))).toEqual([basename(place)]);
    },
    async assertNew() {
      expect(await contentOf(place)).toEqual(old);
      expect(isSaved(await savedIn(home.vault), standing)).toBe(true);
    },
  };
};

const bringIn: MakeScenario = async (home) => {
  const { plain, many, tea, big } = await sources(home);
  const file = join(home.scratch, 'two.tar');
  await home.must(['models', 'add', plain, many]);
  await home.must(['backups', 'create']);
  await home.must(['vault', 'export', file, 'tea.gguf', folder]);
  return {
    home,
    args: ['vault', 'import', file],
    prepare: () => rm(home.vault, { recursive: true, force: true }),
    assertOldOrNew: () => assertVaultWhole(home),
    async assertNew() {
      await assertVaultWhole(home);
      const saved = await savedIn(home.vault);
      expect([isSaved(saved, tea), isSaved(saved, big)]).toEqual([true, true]);
    },
  };
};

const mirror: MakeScenario = async (home) => {
  const { plain, many, tea, big } = await sources(home);
  const second = join(home.scratch, 'second');
  await home.must(['models', 'add', plain, many]);
  await home.must(['backups', 'create']);
  const there = { ...home, vault: second };
  return {
    home,
    args: ['vault', 'sync', second, '--yes', '--new'],
    prepare: () => rm(second, { recursive: true, force: true }),
    async assertOldOrNew() {
      await assertVaultWhole(home);
      await assertVaultWhole(there);
    },
    async assertNew() {
      const saved = await savedIn(second);
      await assertVaultWhole(there);
      expect([isSaved(saved, tea), isSaved(saved, big)]).toEqual([true, true]);
      for (const { annotations } of await savedIn(home.vault))
        expect(annotations['io.aixcl.places']).toBe(JSON.stringify([second]));
    },
  };
};

const collect: MakeScenario = async (home) => {
  const { plain, tea } = await sources(home);
  await home.must(['models', 'add', plain]);
  await home.must(['backups', 'create']);
  const stray = join(home.vault, 'blobs', 'sha256', '1'.repeat(64));
  return {
    home,
    args: ['vault', 'gc', '--grace', '0', '--yes'],
    prepare: () => writeFile(stray, 'left behind'),
    async assertOldOrNew() {
      await assertVaultWhole(home);
      expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    },
    async assertNew() {
      expect(await contentOf(stray)).toBeUndefined();
    },
  };
};

export const scenarios: Readonly<Record<string, MakeScenario>> = {
  'models add': add,
  'models remove': remove,
  'models remove, of a folder': removeFolder,
  undo,
  'backups create': backup,
  'backups restore, over another model': restore,
  'backups restore, of a folder': restoreFolder,
  'vault import': bringIn,
  'vault sync': mirror,
  'vault gc': collect,
  ...versionScenarios,
};
