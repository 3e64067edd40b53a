import { execFileSync } from 'node:child_process';
import { mkdir, open, readFile, readlink, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { draft, publish, TestVault } from '../../adapters/vault/test-vault.ts';
import { writeModelOf, writeSplitModel } from '../../models/test-models.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import { vaultOf } from '../../wiring/vault.ts';
import type { PageState } from '../api.ts';
import { putModel, standIn, type TestDesk, testDesk } from './test-desk.ts';

// Much of it is synced to the disk.
vi.setConfig({ testTimeout: 30_000 });

const model = (state: PageState, name: string) => state.models.find((each) => each.name === name);

/** To be disposed before the desk writes. */
function writerOf({ surroundings }: TestDesk): Promise<VaultWriter> {
  const { signal } = surroundings;
  return vaultOf(surroundings).open({ holder: 'test', operation: 'test-1', patience: 0, signal });
}

test('a model is shown with what its header, its records and the vault say', async () => {
  await using place = await testDesk();
  const sha256 = await putModel(place.at('tea.gguf'));
  await writeSplitModel(place.at('big'), 'big');
  await writeModelOf('clip', place.at('mmproj-x.gguf'));
  await place.ended(await place.desk.remove('tea.gguf'));
  await place.ended(await place.desk.undo((await place.desk.state()).undo!.backup));
  const state = await place.desk.state();
  expect(model(state, 'tea.gguf')).toMatchObject({
    runtime: 'llama-server',
    architecture: 'llama',
    quantization: 'F32',
    contextLength: 8192,
    files: ['tea.gguf'],
    digest: `sha256:${sha256}`,
    fileDigests: [`sha256:${sha256}`],
    source: 'this machine',
    lastBackup: state.snapshots[0]?.created,
    damage: null,
    notActivatable: null,
    notRemovable: null,
  });
  expect(model(state, 'big')).toMatchObject({
    digest: null,
    fileDigests: [null, null],
    source: null,
    lastBackup: null,
    files: ['big/big-00001-of-00002.gguf', 'big/big-00002-of-00002.gguf'],
  });
  expect(model(state, 'mmproj-x.gguf')).toMatchObject({
    role: 'projector',
    notActivatable: expect.stringContaining('image or audio encoder'),
    commands: [{ what: 'use with a model', command: 'aixcl models set MODEL --mmproj mmproj-x.gguf' }],
  });
});

test("Ollama's models are shown as its API tells them, with the commands for what the page may not do", async () => {
  await using ollama = await standIn({
    '/api/version': { version: '0.31.2' },
    '/api/tags': {
      models: [
        {
          name: 'tea:latest',
          digest: 'ab'.repeat(32),
          size: 4_000_000_000,
          modified_at: '2026-01-02T03:04:05.678+01:00',
          details: { family: 'llama', parameter_size: '7.2B', quantization_level: 'Q4_K_M' },
        },
      ],
    },
    '/api/show': { model_info: { 'general.architecture': 'llama', 'llama.context_length': 4096 } },
  });
  await using place = await testDesk({ addresses: { ollama: ollama.address } });
  const state = await place.desk.state();
  expect(state.services).toContainEqual({ name: 'ollama', health: 'healthy', detail: '0.31.2' });
  expect(model(state, 'tea:latest')).toMatchObject({
    runtime: 'ollama',
    architecture: 'llama',
    parameters: 7.2e9,
    quantization: 'Q4_K_M',
    contextLength: 4096,
    size: 4_000_000_000,
    digest: `sha256:${'ab'.repeat(32)}`,
    modified: '2026-01-02T02:04:05.678Z',
    notActivatable: expect.any(String),
    notRemovable: expect.any(String),
  });
  expect(model(state, 'tea:latest')?.commands.map(({ command }) => command)).toContain(
    'aixcl models remove tea:latest',
  );
  await place.desk.state();
  expect(ollama.asked.filter((each) => each.includes('/api/show'))).toHaveLength(1);
});

test("a model that Ollama's list has of unknown quantization is shown with what Ollama says of it when it is asked", async () => {
  await using ollama = await standIn({
    '/api/version': { version: '0.31.2' },
    '/api/tags': { models: [{ name: 'made:latest', details: { quantization_level: 'unknown' } }] },
    '/api/show': {
      details: { quantization_level: 'unknown' },
      model_info: { 'general.architecture': 'llama', 'general.file_type': 7 },
    },
  });
  await using place = await testDesk({ addresses: { ollama: ollama.address } });
  expect(model(await place.desk.state(), 'made:latest')).toMatchObject({ quantization: 'Q8_0' });
});

test('an Ollama that is not there has no models and is stopped; one that hangs or fails is unhealthy; neither is an error', async () => {
  await using place = await testDesk();
  const { services, models, warnings } = await place.desk.state();
  expect(services.map(({ health }) => health)).toEqual(['stopped', 'stopped']);
  expect([models, warnings]).toEqual([[], []]);
  await using failing = await standIn({ '/api/version': 500, '/health': 503 });
  const { address } = failing;
  await using other = await testDesk({ addresses: { ollama: address, llamaServer: address } });
  const state = await other.desk.state();
  expect(state.services.map(({ name, health }) => [name, health])).toEqual([
    ['llama-server', 'loading'],
    ['ollama', 'unhealthy'],
  ]);
});

test('a service that does not answer keeps nobody waiting for the rest', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await using place = await testDesk({ addresses: { ollama: address, llamaServer: address } });
  await putModel(place.at('tea.gguf'));
  const states: PageState[] = [];
  using _watching = place.desk.watch((state) => states.push(state));
  const began = performance.now();
  await expect.poll(() => states.length, { timeout: 8000, interval: 20 }).toBeGreaterThan(0);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(states[0]?.models).toHaveLength(1);
  expect(states[0]?.services.map(({ health }) => health)).toEqual(['loading', 'loading']);
  silent.closeAllConnections();
  silent.close();
});

test('31: what is cut, claims to be endless or is no GGUF is listed as damaged within a second', async () => {
  await using place = await testDesk();
  await putModel(place.at('whole.gguf'));
  await putModel(place.at('cut.gguf'));
  await truncate(place.at('cut.gguf'), 200_000);
  await writeFile(place.at('magic.gguf'), 'GGML and nothing of use');
  for (const [name, offset] of [
    ['tensors.gguf', 8],
    ['keys.gguf', 16],
  ] as const) {
    await putModel(place.at(name));
    await using file = await open(place.at(name), 'r+');
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(2n ** 63n);
    await file.write(count, 0, 8, offset);
  }
  const began = performance.now();
  const state = await place.desk.state();
  expect(performance.now() - began).toBeLessThan(1000);
  const damaged = state.models.filter(({ damage }) => damage !== null);
  expect(damaged.map(({ name }) => name)).toEqual(['cut.gguf', 'keys.gguf', 'magic.gguf', 'tensors.gguf']);
  for (const { notActivatable, commands } of damaged) {
    expect(notActivatable).toContain('damaged');
    expect(commands[0]?.command).toMatch(/^aixcl models verify .* --repair$/);
  }
  await expect(place.desk.activate('keys.gguf')).rejects.toMatchObject({ code: 'verification' });
});

test.each([
  ['../../etc/passwd\n', 'slash'],
  ['tea.gguf\r\n', 'Windows line ends'],
  ['\uFEFFtea.gguf\n', 'byte order mark'],
  ['tea.gguf\0\n', 'control character'],
  ['tea.gguf\nmilk.gguf\n', 'more than one line'],
])('29: a damaged .active_model is told, and nothing is believed of it: %j', async (text, why) => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  await writeFile(place.at('.active_model'), text);
  const state = await place.desk.state();
  expect(state.warnings).toEqual([expect.stringContaining(why)]);
  expect(state.activation.active).toBeNull();
  expect(model(state, 'tea.gguf')).toMatchObject({ active: false, notRemovable: null });
  expect(await place.ended(await place.desk.activate('tea.gguf'))).toMatchObject({ outcome: 'done' });
  expect(await readFile(place.at('.active_model'), 'utf8')).toBe(text);
});

test('30: a link that dangles, loops, leaves the directory or is a file is told; what it leads to is not opened', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  // Whoever opens it waits for ever.
  execFileSync('mkfifo', [join(place.home.root, 'outside.gguf')]);
  const link = place.at('current.gguf');
  for (const [target, why] of [
    ['nowhere.gguf', 'nothing'],
    ['current.gguf', 'itself'],
    ['../outside.gguf', 'leaves the models directory'],
    [join(place.home.root, 'outside.gguf'), 'absolute'],
  ] as const) {
    execFileSync('ln', ['-sfn', target, link]);
    const { warnings, activation } = await place.desk.state();
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^current.gguf: .*${why}`))]);
    expect(activation.active).toBeNull();
    expect(await place.ended(await place.desk.remove('tea.gguf'))).toMatchObject({ outcome: 'done' });
    expect(await place.ended(await place.desk.undo((await place.desk.state()).undo!.backup))).toMatchObject({
      outcome: 'done',
    });
    expect(await readlink(link)).toBe(target);
  }
  execFileSync('rm', [link]);
  await symlink('../outside.gguf', place.at('leaves.gguf'));
  await putModel(link);
  const { unusable, warnings } = await place.desk.state();
  expect(unusable.map(({ name }) => name)).toEqual(['"current.gguf"', '"leaves.gguf"']);
  expect(warnings).toEqual(['current.gguf: it is a file, not a link']);
});

test('what llama-server is at and what became of the last wish are shown; a wish that it has not seen yet is pending', async () => {
  await using llama = await standIn({ '/health': {} });
  await using place = await testDesk({ addresses: { llamaServer: llama.address } });
  await putModel(place.at('tea.gguf'));
  await mkdir(place.at('.aixcl'));
  await writeFile(
    place.at('.aixcl', 'state'),
    'phase: ready\nactive: tea.gguf\nwant: bad.gguf\nrequest: 1\nresult: reverted\nreason: it ended\nlog: out of memory\n',
  );
  const state = await place.desk.state();
  expect(state.services[0]).toEqual({ name: 'llama-server', health: 'healthy', detail: 'tea.gguf' });
  expect(state.activation).toEqual({
    active: 'tea.gguf',
    phase: 'ready',
    loading: null,
    wanted: 'bad.gguf',
    result: 'reverted',
    reason: 'it ended',
    log: ['out of memory'],
  });
  expect(model(state, 'tea.gguf')).toMatchObject({
    active: true,
    standing: 'active',
    notRemovable: 'llama-server serves it',
  });
  await writeFile(place.at('.aixcl', 'request'), 'id: 2\nname: tea.gguf\nby: cli\ntime: t\n');
  expect((await place.desk.state()).activation).toMatchObject({
    wanted: 'tea.gguf',
    result: 'pending',
    reason: null,
    log: [],
  });
});

test('snapshots that the page does not restore say why, and what to type', async () => {
  await using place = await testDesk();
  await using bytes = await TestVault.make();
  const writer = await writerOf(place);
  try {
    for (const subject of [
      { runtime: 'ollama', name: 'tea:latest' },
      { runtime: 'directory', name: '/data/adapter' },
    ] as const) {
      await publish(writer, [await bytes.live('x')], draft('x', { subject }));
    }
  } finally {
    await writer[Symbol.asyncDispose]();
  }
  const { snapshots, undo } = await place.desk.state();
  expect(snapshots.map(({ runtime, notRestorable }) => [runtime, notRestorable])).toEqual([
    ['directory', 'folders are restored on the command line'],
    ['ollama', "models of Ollama's are restored on the command line"],
  ]);
  expect(snapshots[1]?.commands).toEqual([{ what: 'restore', command: 'aixcl backups restore b0001' }]);
  expect(undo).toBeNull();
  for (const call of ['restore', 'restoration'] as const) {
    await expect(place.desk[call]('b0001')).rejects.toMatchObject({
      code: 'refused',
      hint: 'aixcl backups restore b0001',
    });
  }
});

test('what one command took together, or took of Ollama, is for the command line to take back', async () => {
  await using place = await testDesk();
  await using bytes = await TestVault.make();
  const writer = await writerOf(place);
  const taken = { backupType: 'pre_deletion', facts: { taken: true } } as const;
  try {
    for (const name of ['tea.gguf', 'milk.gguf']) {
      await publish(writer, [await bytes.live(name)], draft(name, taken));
    }
  } finally {
    await writer[Symbol.asyncDispose]();
  }
  expect((await place.desk.state()).undo).toBeNull();
  await expect(place.desk.undo('b0001')).rejects.toMatchObject({ code: 'refused', hint: 'aixcl undo' });
});

test('a vault or a models directory that cannot be read leaves the rest of the page as it is', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  await mkdir(place.home.vault);
  await writeFile(join(place.home.vault, 'index.json'), '{ not JSON');
  const state = await place.desk.state();
  expect(state.models).toHaveLength(1);
  expect(state.warnings).toEqual([expect.stringContaining('index.json')]);
  await expect(place.desk.remove('tea.gguf')).rejects.toMatchObject({ code: 'verification' });
  execFileSync('rm', ['-r', place.home.models]);
  await writeFile(place.home.models, 'a file');
  const other = await place.desk.state();
  expect(other.models).toEqual([]);
  expect(other.warnings.join()).toContain('Models are not shown');
});
