import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { peftFiles, safetensors } from '../../src/models/test-adapters.ts';
import { aixcl, describeEngine, engineTest, type TestHome } from '../setup/engine-test.ts';
import { homeWith, none, ok } from './gguf-home.ts';
import { stepsOf } from './ollama-stack.ts';

function run(home: TestHome, ...args: string[]) {
  return aixcl(args, { home, env: none });
}

async function versions(home: TestHome, ...args: string[]) {
  return (await ok(home, 'versions', 'list', ...args, '--format', 'json')).json;
}

async function ids(home: TestHome, ...args: string[]): Promise<unknown[]> {
  return (await versions(home, ...args)).map(({ id }) => id);
}

async function latest(home: TestHome): Promise<unknown[]> {
  return (await versions(home)).filter((each) => each.latest === true).map(({ id }) => id);
}

async function shown(home: TestHome, id: string) {
  const { verified, ...rest } = (await ok(home, 'versions', 'show', id, '--format', 'json')).json[0]!;
  expect(verified).toEqual(expect.any(String));
  return rest;
}

async function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** An adapter directory with all that a trainer may leave in one. */
async function adapterIn(home: TestHome, config: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const path = await write(join(home.root, 'adapters', 'tea'), {
    ...peftFiles(config),
    'evolution_snapshots/its own.json': '{}',
    'run.sh': '#!/bin/sh\n',
  });
  await chmod(join(path, 'run.sh'), 0o755);
  await mkdir(join(path, 'empty'));
  await symlink('adapter_config.json', join(path, 'link'));
  return path;
}

/** Throws, with what differs, unless both hold the same names, bytes and links. */
function assertSame(a: string, b: string): void {
  execFileSync('diff', ['-r', '--no-dereference', a, b], { encoding: 'utf8' });
}

const evolution = {
  'checkpoint-9/trainer_state.json': '{"log_history":[{"step":9,"loss":3.0},{"step":18,"loss":NaN}]}\n',
  'checkpoint-18/deep/x.jsonl': '{"step":1,"grad":[1,2]}\r\n{"step":2}',
  'snapshot.JSON': '\uFEFF{"b": {"a": [ {"c":1e5} ] }  }',
};

describeEngine('versions, without an engine', () => {
  engineTest(
    'twelve versions, one deleted and restored, the newest deleted: latest and numbers are right',
    async () => {
      await using home = await homeWith('tea.gguf');
      const path = join(home.models, 'tea.gguf');
      const contents: Buffer[] = [];
      for (let number = 1; number <= 12; number += 1) {
        await rm(path);
        await writeSelfTestModel(path, `This is tea number ${number}.`);
        contents.push(await readFile(path));
        await ok(home, 'versions', 'create', 'tea.gguf', '--description', `number ${number}`);
      }
      const all = Array.from({ length: 12 }, (_, index) => `tea.gguf@v${String(index + 1).padStart(3, '0')}`);
      expect(await ids(home)).toEqual(all);
      expect(await latest(home)).toEqual(['tea.gguf@v012']);

      const record = await shown(home, 'tea.gguf@v003');
      await ok(home, 'versions', 'delete', 'tea.gguf@v003', '--yes');
      expect(await ids(home)).toEqual(all.filter((id) => id !== 'tea.gguf@v003'));
      const [deleted] = (await ok(home, 'backups', 'list', '--type', 'deleted_version', '--format', 'json'))
        .json;
      expect(deleted).toMatchObject({ model: 'tea.gguf', reason: 'tea.gguf@v003 was deleted' });
      await ok(home, 'backups', 'verify', String(deleted?.id));
      await ok(home, 'backups', 'restore', String(deleted?.id));
      expect(await ids(home)).toEqual(all);
      expect(await shown(home, 'tea.gguf@v003')).toEqual(record);

      await ok(home, 'versions', 'delete', 'tea.gguf@latest', '--yes');
      expect(await latest(home)).toEqual(['tea.gguf@v011']);
      await ok(home, 'vault', 'gc', '--grace', '0', '--yes');
      await ok(home, 'versions', 'create', 'tea.gguf', '--description', 'thirteen');
      expect(await latest(home)).toEqual(['tea.gguf@v013']);
      await ok(home, 'undo', '--yes');
      expect(await ids(home)).toEqual([...all, 'tea.gguf@v013']);

      for (const wrong of [
        'v1',
        'v',
        'tea.gguf@v0011',
        'tea.gguf@v1',
        'tea.gguf@V001',
        'tea.gguf',
        'x@v01',
      ]) {
        const refused = await run(home, 'versions', 'show', wrong);
        expect([wrong, refused.code]).toEqual([wrong, 4]);
        expect(refused.stderr).toContain('no such version');
        for (const verb of ['restore', 'delete']) {
          expect((await run(home, 'versions', verb, wrong, '--yes')).code).toBe(4);
        }
      }
      await ok(home, 'versions', 'restore', 'tea.gguf@v001', '--yes');
      expect(await readFile(path)).toEqual(contents[0]);
      await ok(home, 'versions', 'restore', 'tea.gguf@latest', '--as', 'again.gguf');
      expect(await readFile(join(home.models, 'again.gguf'))).toEqual(contents[11]);
      await ok(home, 'vault', 'verify');
    },
  );

  engineTest('a run of one file is one file', async () => {
    await using home = await homeWith();
    const adapter = await adapterIn(home);
    const folder = await write(join(home.root, 'run'), { 'only.json': '{"loss":1}' });
    await ok(home, 'versions', 'create', adapter, '--description', 'one', '--evolution', folder);
    const text = (await ok(home, 'versions', 'show', `${adapter}@v001`)).stdout;
    expect(text).toMatch(/^evolution +1 file, 10 B$/m);
  });

  engineTest('an adapter comes back bit for bit, with its run and its training data on record', async () => {
    await using home = await homeWith();
    const adapter = await adapterIn(home);
    const before = join(home.root, 'before');
    await cp(adapter, before, { recursive: true, verbatimSymlinks: true });
    const run9 = await write(join(home.root, 'run'), { ...evolution, 'notes.md': 'x' });
    const data = await write(join(home.root, 'data'), { 'a.jsonl': 'aa', 'deep/b.jsonl': 'bbb' });
    const metrics = join(home.root, 'metrics.json');
    await writeFile(metrics, '{"loss": 0.10000000000000001, "by": {"task": [1.0, 12345678901234567890]}}');
    const description = 'rank 2/4\n"quoted" \'x\' 🍵 \u001b[31m';
    const made = await ok(
      home,
      ...['versions', 'create', adapter, '--description', description, '--evolution', run9],
      ...['--metrics', metrics, '--training-data', data, metrics, '--format', 'json'],
    );
    expect(stepsOf(made)).toEqual([`version ${adapter} done`]);
    expect(made.stderr).toContain('left out: "notes.md"');
    const id = `${adapter}@v001`;
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const version = await shown(home, id);
    expect(version).toMatchObject({
      id,
      description,
      metricsText: await readFile(metrics, 'utf8'),
      baseModel: { name: 'someone/tea-1b', digest: null },
      adapter: { format: 'peft', method: 'LORA', rank: 2, alpha: 4, tensors: 2 },
      trainingData: [
        { path: join(data, 'a.jsonl'), size: 2, sha256: sha256('aa') },
        { path: join(data, 'deep/b.jsonl'), size: 3, sha256: sha256('bbb') },
        { path: metrics, sha256: sha256(await readFile(metrics, 'utf8')) },
      ],
      evolution: { files: { length: 3 } },
    });
    const text = (await ok(home, 'versions', 'show', 'tea@latest')).stdout;
    expect(text).toContain('0.10000000000000001');
    expect(text).toMatch(/loss.*3/);
    expect(text).not.toContain('\u001b');

    await rm(adapter, { recursive: true });
    await ok(home, 'versions', 'restore', id);
    assertSame(adapter, before);
    await writeFile(join(adapter, 'adapter_config.json'), 'spoilt');
    expect((await run(home, 'versions', 'restore', id)).code).toBe(3);
    await ok(home, 'versions', 'restore', id, '--yes');
    assertSame(adapter, before);
    const out = join(home.root, 'out');
    await ok(home, 'versions', 'restore', 'tea@v001', '--to', out);
    assertSame(join(out, 'adapter'), before);
    await rm(join(run9, 'notes.md'));
    assertSame(join(out, 'evolution_snapshots'), run9);
    expect(JSON.parse(await readFile(join(out, 'metadata.json'), 'utf8'))).toMatchObject({
      id,
      description,
      facts: { trainingData: version.trainingData, tool: expect.stringMatching(/^aixcl \d/) },
    });
    expect((await readdir(out)).sort()).toEqual(['adapter', 'evolution_snapshots', 'metadata.json']);

    await ok(home, 'versions', 'delete', id, '--yes');
    const files = join(home.root, 'files');
    await ok(home, 'backups', 'restore', 'b0002', '--to', files);
    assertSame(files, out);
    await ok(home, 'undo');
    expect(await shown(home, id)).toEqual(version);
  });

  engineTest('an adapter that is not whole makes no version, and what is missing is named', async () => {
    await using home = await homeWith();
    const adapter = await adapterIn(home);
    const weights = join(adapter, 'adapter_model.safetensors');
    const refused = async (why: RegExp) => {
      const outcome = await run(home, 'versions', 'create', adapter, '--description', 'x');
      expect(outcome.code).toBe(7);
      expect(outcome.stderr).toMatch(why);
    };
    const whole = await readFile(weights);
    await truncate(weights, whole.length - 1);
    await refused(/adapter_model\.safetensors.* is damaged: .*truncated/);
    await rm(weights);
    await refused(/adapter_model\.safetensors is missing/);
    await writeFile(join(adapter, 'adapter_model.bin'), 'x');
    await refused(/is a pickle/);
    await writeFile(weights, whole);
    await rm(join(adapter, 'adapter_config.json'));
    await refused(/adapter_config\.json is missing/);
    await rm(adapter, { recursive: true });
    await mkdir(adapter);
    expect((await run(home, 'versions', 'create', adapter, '--description', 'x')).code).toBe(4);
    expect(await ids(home)).toEqual([]);
    expect(existsSync(join(home.root, 'vault', 'index.json'))).toBe(false);
  });

  engineTest('records that can not be had are an error before anything is done', async () => {
    await using home = await homeWith('tea.gguf');
    const nothing = join(home.root, 'nothing');
    const empty = join(home.root, 'empty');
    await mkdir(empty);
    await writeFile(join(home.root, 'bad.json'), '{"a": ');
    const cases: [string[], number][] = [
      [['--training-data', nothing], 4],
      [['--training-data', empty], 2],
      [['--metrics', nothing], 4],
      [['--metrics', join(home.root, 'bad.json')], 2],
      [['--evolution', nothing], 4],
      [['--evolution', empty], 2],
      [['--description', '  '], 2],
    ];
    for (const [more, code] of cases) {
      const outcome = await run(home, 'versions', 'create', 'tea.gguf', '--description=x', ...more);
      expect([more[0], outcome.code]).toEqual([more[0], code]);
    }
    expect((await run(home, 'versions', 'create', 'tea.gguf')).code).toBe(2);
    expect((await run(home, 'versions', 'create', 'no.gguf', '--description', 'x')).code).toBe(4);
    expect(existsSync(join(home.root, 'vault', 'index.json'))).toBe(false);
    await ok(home, 'versions', 'create', 'tea.gguf', '--description', 'x', '--dry-run');
    expect(await ids(home)).toEqual([]);
  });

  engineTest('a damaged source, or a target in use, leaves the target as it is', async () => {
    await using home = await homeWith('tea.gguf');
    const path = join(home.models, 'tea.gguf');
    await ok(home, 'versions', 'create', 'tea.gguf', '--description', 'first');
    await rm(path);
    await writeSelfTestModel(path, 'Something else.');
    const standing = await readFile(path);
    await writeFile(join(home.models, '.active_model'), 'tea.gguf\n');
    const inUse = await run(home, 'versions', 'restore', 'tea.gguf@v001', '--yes');
    expect(inUse.code).toBe(3);
    expect(inUse.stderr).toContain('llama-server serves it');
    expect(await readFile(path)).toEqual(standing);
    await rm(join(home.models, '.active_model'));

    const [{ sha256 }] = (await shown(home, 'tea.gguf@v001')).files as { sha256: string }[] as [
      { sha256: string },
    ];
    const blob = join(home.root, 'vault', 'blobs', 'sha256', sha256);
    const content = await readFile(blob);
    content[9_999]! ^= 1;
    await chmod(blob, 0o644);
    await writeFile(blob, content);
    const damaged = await run(home, 'versions', 'restore', 'tea.gguf@v001', '--yes');
    expect(damaged.code).toBe(7);
    expect(damaged.stderr).toContain('tea.gguf@v001 is damaged in the vault, so nothing was changed');
    expect(await readFile(path)).toEqual(standing);
    const [row] = await versions(home);
    expect(row).toMatchObject({ verified: null, damage: expect.stringContaining('tea.gguf') });
  });

  engineTest('export, import and sync carry a version whole, under its number', async () => {
    await using home = await homeWith();
    await using other = await homeWith();
    const adapter = await adapterIn(home);
    const folder = await write(join(home.root, 'run'), evolution);
    for (const description of ['one', 'two', 'three']) {
      await ok(home, 'versions', 'create', adapter, '--description', description, '--evolution', folder);
    }
    await ok(home, 'versions', 'delete', `${adapter}@v003`, '--yes');
    const version = await shown(home, `${adapter}@v002`);
    const file = join(home.root, 'two.tar');
    await ok(home, 'vault', 'export', file, `${adapter}@latest`, 'b0001');
    await ok(other, 'vault', 'import', file);
    expect(await ids(other)).toEqual([`${adapter}@v002`]);
    expect(await shown(other, `${adapter}@v002`)).toEqual(version);
    await ok(other, 'backups', 'restore', 'b0001');
    expect(await ids(other)).toEqual([`${adapter}@v002`, `${adapter}@v003`]);
    const second = join(home.root, 'second');
    await ok(home, 'vault', 'sync', second, '--yes', '--new');
    const there = await aixcl(['versions', 'list', '--format', 'json'], {
      home: other,
      env: { ...none, AIXCL_VAULT: second },
    });
    expect(there.json.map(({ id }) => id)).toEqual([`${adapter}@v001`, `${adapter}@v002`]);
  });

  engineTest('diff names metadata, files and tensors that differ, and is exit 0', async () => {
    await using home = await homeWith();
    const adapter = await adapterIn(home);
    await ok(home, 'versions', 'create', adapter, '--description', 'one');
    const name = (letter: string) => `base_model.model.model.layers.0.self_attn.q_proj.lora_${letter}.weight`;
    await writeFile(
      join(adapter, 'adapter_model.safetensors'),
      safetensors({
        [name('A')]: { dtype: 'F32', shape: [2, 8] },
        [name('B')]: { dtype: 'F16', shape: [8, 2] },
        more: { dtype: 'F32', shape: [1] },
      }),
    );
    await ok(home, 'versions', 'create', adapter, '--description', 'two');
    const [found] = (await ok(home, 'versions', 'diff', 'tea@v001', 'tea@v002', '--format', 'json')).json;
    expect(found).toMatchObject({
      type: 'diff',
      metadata: expect.arrayContaining([{ field: 'description', a: 'one', b: 'two' }]),
      files: [{ path: 'adapter/adapter_model.safetensors', change: 'changed' }],
      tensors: [
        { name: name('B'), change: 'type' },
        { name: 'more', change: 'added' },
      ],
      tensorsSame: 1,
    });
    const text = (await ok(home, 'versions', 'diff', 'tea@v001', 'tea@v001')).stdout;
    expect(text).toContain('no file differs');
    expect(text).toContain('2 the same');
  });

  engineTest('a GGUF file anywhere has versions, and comes back as a file', async () => {
    await using home = await homeWith('tea.gguf');
    const file = join(home.root, 'elsewhere', 'lora.gguf');
    await mkdir(join(file, '..'));
    await writeSelfTestModel(file, 'First.');
    const first = await readFile(file);
    await ok(home, 'versions', 'create', file, '--description', 'one');
    await rm(file);
    await writeSelfTestModel(file, 'Second.');
    const second = await readFile(file);
    await ok(home, 'versions', 'restore', 'lora.gguf@v001', '--yes');
    expect(await readFile(file)).toEqual(first);
    expect(await readdir(join(file, '..'))).toEqual(['lora.gguf']);
    await ok(home, 'undo', '--yes');
    expect(await readFile(file)).toEqual(second);
    // What lies in the models directory goes by its name, however it is spelled.
    await ok(home, 'versions', 'create', join(home.models, 'tea.gguf'), '--description', 'x');
    expect(await ids(home, 'tea.gguf')).toEqual(['tea.gguf@v001']);
    await ok(home, 'versions', 'restore', `${file}@v001`, '--to', join(home.root, 'out'));
    expect(await readFile(join(home.root, 'out', 'adapter', 'lora.gguf'))).toEqual(first);
  });
});
