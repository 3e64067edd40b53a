import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { aixcl, describeEngine, engineTest, type TestHome } from '../setup/engine-test.ts';
import { homeWith, none, ok } from './gguf-home.ts';
import { stepsOf } from './ollama-stack.ts';

function run(home: TestHome, ...args: string[]) {
  return aixcl(args, { home, env: none });
}

async function idsOf(home: TestHome): Promise<unknown[]> {
  return (await ok(home, 'backups', 'list', '--format', 'json')).json.map(({ id }) => id);
}

describeEngine('backups, without an engine', () => {
  engineTest(
    'create saves every model; one that is damaged is named and does not keep the others from it',
    async () => {
      await using home = await homeWith('tea.gguf', 'milk.gguf');
      expect(stepsOf(await ok(home, 'backups', 'create', '--format', 'json'))).toEqual([
        'backup milk.gguf done',
        'backup tea.gguf done',
      ]);
      await truncate(join(home.models, 'milk.gguf'), 100_000);
      const some = await run(home, 'backups', 'create', '--reason', 'again', '--format', 'json');
      expect(some.code).toBe(5);
      expect(stepsOf(some)).toEqual(['backup milk.gguf failed', 'backup tea.gguf done']);
      expect((await run(home, 'backups', 'create', 'milk.gguf')).code).toBe(7);
      const [newest] = (await ok(home, 'backups', 'list', '--format', 'json')).json;
      expect(newest).toMatchObject({
        type: 'backup',
        id: 'b0003',
        model: 'tea.gguf',
        runtime: 'llama-server',
        backupType: 'emergency',
        reason: 'again',
        size: (await stat(join(home.models, 'tea.gguf'))).size,
        verified: expect.any(String),
        damage: null,
        places: [],
      });
    },
  );

  engineTest('list narrows down by type and by model', async () => {
    await using home = await homeWith('tea.gguf', 'milk.gguf');
    await ok(home, 'backups', 'create', '--type', 'pre_consolidation');
    await ok(home, 'models', 'remove', 'tea.gguf', '--yes');
    const ids = async (...more: string[]) =>
      (await ok(home, 'backups', 'list', '--format', 'json', ...more)).json.map(({ id }) => id);
    expect(await ids('--type', 'pre_deletion')).toEqual(['b0003']);
    expect(await ids('--model', 'tea.gguf')).toEqual(['b0003', 'b0002']);
    expect((await run(home, 'backups', 'list', '--type', 'nonsense')).code).toBe(2);
  });

  engineTest('verify is exit 7 and names snapshot, model and file when one bit is wrong', async () => {
    await using home = await homeWith('tea.gguf');
    await ok(home, 'backups', 'create');
    await ok(home, 'backups', 'verify', 'b0001');
    await flip(await blobOf(home, 'tea.gguf'));
    const found = await run(home, 'backups', 'verify');
    expect(found.code).toBe(7);
    expect(found.stdout).toMatch(/b0001 damaged: tea\.gguf: tea\.gguf/);
    const [row] = (await ok(home, 'backups', 'list', '--format', 'json')).json;
    expect(row).toMatchObject({ verified: null, damage: expect.stringContaining('in the vault') });
    const before = await readFile(join(home.models, 'tea.gguf'));
    await writeSelfTestModel(join(home.models, 'other'), 'Something else.');
    const refused = await run(home, 'backups', 'restore', 'b0001', '--as', 'again.gguf');
    expect(refused.code).toBe(7);
    expect(existsSync(join(home.models, 'again.gguf'))).toBe(false);
    expect(await readFile(join(home.models, 'tea.gguf'))).toEqual(before);
    // The next backup heals it.
    await ok(home, 'backups', 'create', '--verify');
    await ok(home, 'backups', 'verify');
  });

  engineTest(
    'restore asks before it takes the place of something, and keeps that; undo brings it back',
    async () => {
      await using home = await homeWith('tea.gguf');
      const path = join(home.models, 'tea.gguf');
      const old = await readFile(path);
      await ok(home, 'backups', 'create');
      expect(stepsOf(await ok(home, 'backups', 'restore', 'b0001', '--format', 'json'))).toEqual([
        'keep tea.gguf kept',
      ]);
      await ok(home, 'models', 'remove', 'tea.gguf', '--yes');
      await writeSelfTestModel(path, 'The next version.');
      const next = await readFile(path);
      expect((await run(home, 'backups', 'restore', 'b0001')).code).toBe(3);
      expect(await readFile(path)).toEqual(next);
      await ok(home, 'backups', 'restore', 'b0001', '--yes');
      expect(await readFile(path)).toEqual(old);
      await ok(home, 'undo', '--yes');
      expect(await readFile(path)).toEqual(next);
      await ok(home, 'backups', 'restore', 'b0001', '--as', 'before.gguf');
      expect(await readFile(join(home.models, 'before.gguf'))).toEqual(old);
    },
  );

  engineTest(
    'a directory comes back with its empty folders, links and modes, also to another place',
    async () => {
      await using home = await homeWith();
      const adapter = join(home.root, 'my adapter');
      await mkdir(join(adapter, 'evolution_snapshots', 'empty'), { recursive: true });
      await writeFile(join(adapter, 'adapter.bin'), 'weights');
      await writeFile(join(adapter, 'run.sh'), '#!/bin/sh\n');
      await chmod(join(adapter, 'run.sh'), 0o755);
      await symlink('adapter.bin', join(adapter, 'latest'));
      await ok(home, 'backups', 'create', adapter);
      await writeFile(join(adapter, 'adapter.bin'), 'spoilt!');
      expect((await run(home, 'backups', 'restore', 'b0001')).code).toBe(3);
      await ok(home, 'backups', 'restore', 'b0001', '--yes');
      expect(await readFile(join(adapter, 'latest'), 'utf8')).toBe('weights');
      expect((await stat(join(adapter, 'run.sh'))).mode & 0o100).toBe(0o100);
      expect(await readdir(join(adapter, 'evolution_snapshots'))).toEqual(['empty']);
      expect((await readdir(home.root)).filter((name) => name.includes('aixcl-'))).toEqual([]);

      const copy = join(home.root, 'copy');
      await ok(home, 'backups', 'restore', 'b0001', '--to', copy);
      expect((await readdir(copy)).sort()).toEqual([
        'adapter.bin',
        'evolution_snapshots',
        'latest',
        'run.sh',
      ]);
      await writeFile(join(copy, 'mine'), 'mine');
      expect((await run(home, 'backups', 'restore', 'b0001', '--to', copy, '--yes')).code).toBe(3);
      await ok(home, 'undo', '--yes');
      expect(await readFile(join(adapter, 'adapter.bin'), 'utf8')).toBe('spoilt!');
    },
  );

  engineTest(
    'delete wants the name given back, which --yes is not, and frees what nothing else names',
    async () => {
      await using home = await homeWith('tea.gguf');
      await ok(home, 'models', 'remove', 'tea.gguf', '--yes');
      expect((await run(home, 'backups', 'delete', 'b0001')).code).toBe(3);
      expect((await run(home, 'backups', 'delete', 'b0001', '--yes')).code).toBe(3);
      expect((await run(home, 'backups', 'delete', 'b0001', '--confirm', 'tea')).code).toBe(3);
      expect(await idsOf(home)).toEqual(['b0001']);
      await ok(home, 'backups', 'delete', 'b0001', '--confirm', 'tea.gguf');
      expect(await readdir(join(home.root, 'vault', 'blobs', 'sha256'))).toEqual([]);
      await writeSelfTestModel(join(home.models, 'tea.gguf'));
      await ok(home, 'backups', 'create');
      expect(await idsOf(home)).toEqual(['b0002']);
      expect((await run(home, 'backups', 'delete', 'b0001', '--confirm', 'tea.gguf')).code).toBe(4);
    },
  );

  engineTest('cleanup shows, --execute deletes, and never the last copy', async () => {
    await using home = await homeWith('tea.gguf');
    await ok(home, 'backups', 'create');
    await ok(home, 'backups', 'create');
    expect((await ok(home, 'backups', 'cleanup', '--execute')).stdout).not.toContain('deleted');
    const shown = await ok(home, 'backups', 'cleanup', '--retention-days', '0', '--format', 'json');
    expect(stepsOf(shown)).toEqual(['keep b0002 kept', 'delete b0001 planned']);
    expect(await idsOf(home)).toEqual(['b0002', 'b0001']);
    await ok(home, 'backups', 'cleanup', '--retention-days', '0', '--execute');
    expect(await idsOf(home)).toEqual(['b0002']);
    await ok(home, 'backups', 'cleanup', '--retention-days', '0', '--execute');
    expect(await idsOf(home)).toEqual(['b0002']);
    await ok(home, 'backups', 'verify');
  });

  engineTest(
    'cleanup deletes nothing while the journal is ahead of the clock, or a record is unreadable',
    async () => {
      await using home = await homeWith('tea.gguf');
      await ok(home, 'backups', 'create');
      await ok(home, 'backups', 'create');
      const ahead = join(home.root, 'journal', '2999-01.jsonl');
      const entry = {
        time: '2999-01-01T00:00:00.000Z',
        operation: 'x',
        event: 'end',
        outcome: 'done',
        because: null,
      };
      await writeFile(ahead, `${JSON.stringify(entry)}\n`);
      const args = ['backups', 'cleanup', '--retention-days', '0', '--execute'];
      expect((await run(home, ...args)).code).toBe(3);
      await writeFile(ahead, '');
      const index = join(home.root, 'vault', 'index.json');
      const { manifests, ...rest } = JSON.parse(await readFile(index, 'utf8'));
      const broken = { ...manifests[0], digest: `sha256:${'0'.repeat(64)}` };
      await writeFile(index, JSON.stringify({ ...rest, manifests: [...manifests, broken] }));
      expect((await run(home, ...args)).code).toBe(3);
      await writeFile(index, JSON.stringify({ ...rest, manifests }));
      await ok(home, ...args);
      expect(await idsOf(home)).toEqual(['b0002']);
    },
  );
});

async function blobOf(home: TestHome, name: string): Promise<string> {
  const { size } = await stat(join(home.models, name));
  const blobs = join(home.root, 'vault', 'blobs', 'sha256');
  for (const hex of await readdir(blobs))
    if ((await stat(join(blobs, hex))).size === size) return join(blobs, hex);
  throw new Error(`no blob is like ${name}`);
}

async function flip(path: string): Promise<void> {
  await chmod(path, 0o644);
  const bytes = await readFile(path);
  bytes[1000] = bytes[1000]! ^ 1;
  await writeFile(path, bytes);
}
