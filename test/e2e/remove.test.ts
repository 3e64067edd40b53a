import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { aixcl, describeEngine, engineTest, spawnAixcl } from '../setup/engine-test.ts';
import { homeWith, none, ok } from './gguf-home.ts';
import { stepsOf } from './ollama-stack.ts';

describeEngine('models remove and undo, of GGUF models, without an engine', () => {
  engineTest("the bytes are the vault's at once, without a copy, and come back bit for bit", async () => {
    await using home = await homeWith('tea.gguf');
    const path = join(home.models, 'tea.gguf');
    const bytes = await readFile(path);
    const { ino } = await stat(path);
    const removed = await ok(home, 'rm', 'tea.gguf', '--yes');
    expect(removed.stdout).toMatch(/holds it as b0001 until \d{4}-\d\d-\d\d/);
    expect(removed.stdout).toContain('aixcl undo');
    expect(removed.stdout).toContain('aixcl backups delete b0001 --confirm tea.gguf');
    expect(existsSync(path)).toBe(false);
    const hex = createHash('sha256').update(bytes).digest('hex');
    expect((await stat(join(home.root, 'vault', 'blobs', 'sha256', hex))).ino).toBe(ino);
    await ok(home, 'undo');
    expect(await readFile(path)).toEqual(bytes);
    expect((await stat(path)).ino).not.toBe(ino);
  });

  engineTest('off a terminal without --yes is exit 3, and a dry run changes nothing either', async () => {
    await using home = await homeWith('tea.gguf');
    const before = await readdir(home.root);
    expect((await aixcl(['models', 'remove', 'tea.gguf'], { home, env: none })).code).toBe(3);
    const dry = await ok(home, 'models', 'remove', 'tea.gguf', '--dry-run', '--yes', '--format', 'json');
    expect(stepsOf(dry)).toEqual(['remove tea.gguf planned']);
    expect((await readdir(home.root)).filter((name) => name !== '.cache')).toEqual(before);
    expect(await readdir(home.models)).toEqual(['tea.gguf']);
  });

  engineTest('the active model stays, unless it is forced', async () => {
    await using home = await homeWith('tea.gguf');
    await writeFile(join(home.models, '.active_model'), 'tea.gguf\n');
    const refused = await aixcl(['models', 'remove', 'tea.gguf', '--yes'], { home, env: none });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('--force');
    await ok(home, 'models', 'remove', 'tea.gguf', '--yes', '--force');
  });

  engineTest(
    'a file with another name elsewhere is copied, so that nobody writes into the vault',
    async () => {
      await using home = await homeWith('tea.gguf');
      const path = join(home.models, 'tea.gguf');
      const other = join(home.root, 'other');
      await link(path, other);
      const bytes = await readFile(path);
      await ok(home, 'models', 'remove', 'tea.gguf', '--yes');
      await writeFile(other, 'scribbled over');
      await ok(home, 'backups', 'verify');
      await ok(home, 'undo');
      expect(await readFile(path)).toEqual(bytes);
    },
  );

  engineTest('two at once end with 0, or with 11 for the one that came second; nothing is lost', async () => {
    await using home = await homeWith('tea.gguf', 'milk.gguf');
    const run = (name: string) =>
      spawnAixcl(['models', 'remove', name, '--yes'], { home, env: none }).outcome;
    const codes = (await Promise.all([run('tea.gguf'), run('milk.gguf')])).map(({ code }) => code);
    expect(codes).toContain(0);
    for (const code of codes) expect([0, 11]).toContain(code);
    const standing = (await readdir(home.models)).filter((name) => name.endsWith('.gguf'));
    const held = (await ok(home, 'backups', 'list', '--format', 'json')).json.map(({ model }) => model);
    expect([...standing, ...held].sort()).toEqual(['milk.gguf', 'tea.gguf']);
  });

  engineTest('a name that no model has is exit 4, with what was probably meant', async () => {
    await using home = await homeWith('tea.gguf');
    const outcome = await aixcl(['models', 'remove', 'TEA', '--yes'], { home, env: none });
    expect(outcome.code).toBe(4);
    expect(outcome.stderr).toContain('Did you mean tea.gguf?');
  });
});
