import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { blobFile, manifestFile, type OllamaModel, seedStore } from '../../../../test/setup/ollama-model.ts';
import { prove } from '../../../models/remove.ts';
import { saveGoing } from '../../../models/save-going.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { restore } from '../backups/restore.ts';
import { type TestHome, testHome } from '../vault/test-home.ts';
import { undo } from './run.ts';

const none = {} as Arguments;

/** Saves models as `models remove` does, and takes them out of Ollama's store. */
async function removed(home: TestHome, ...names: string[]): Promise<void> {
  const { signal } = home.context;
  const keeper = await keeperOf(home.context, 'ollama');
  await withOperation(home.context, { command: 'models remove', targets: names }, async (work) => {
    for (const name of names) {
      const model = (await keeper.find(name))!;
      const damage = await prove({ keeper, model }, { signal });
      await saveGoing(
        { keeper, model },
        {
          writer: work.writer,
          operation: work.operation.id,
          created: new Date(),
          reason: 'removed',
          backupType: 'pre_deletion',
          damage,
          signal,
        },
      );
      await rm(manifestFile(home.context.home.ollama, name));
    }
  });
}

async function zeroWeights(home: TestHome, { blobs }: OllamaModel): Promise<void> {
  const path = blobFile(home.context.home.ollama, blobs[0]!.digest);
  const { size } = await stat(path);
  await rm(path);
  await writeFile(path, Buffer.alloc(size));
}

const snapshotsOf = async ({ context }: TestHome): Promise<readonly Snapshot[]> =>
  (await vaultOf(context).contents()).snapshots;

test('what was damaged when it was removed is passed over and said; what went before it comes back', async () => {
  await using home = await testHome();
  const { ollama } = home.context.home;
  const alpha = await seedStore(ollama, 'alpha', { seed: 'alpha' });
  const beta = await seedStore(ollama, 'beta', { seed: 'beta' });
  await removed(home, 'alpha');
  await zeroWeights(home, beta);
  await removed(home, 'beta');
  const { result, error } = await home.run((context) => undo(context, none));
  expect(error).toBeUndefined();
  expect(result?.steps).toMatchObject([
    { kind: 'keep', target: 'beta:latest', outcome: 'kept', because: expect.stringContaining('--to DIR') },
    { kind: 'restore', target: 'alpha:latest', outcome: 'done' },
  ]);
  expect(await readFile(manifestFile(ollama, 'alpha'))).toEqual(alpha.manifest);
  expect(existsSync(manifestFile(ollama, 'beta'))).toBe(false);
  const again = await home.run((context) => undo(context, none));
  expect(again.error).toMatchObject({
    code: 'verification',
    evidence: [expect.stringContaining('was damaged when it was saved')],
  });
});

test('of one command that took a whole and a damaged model, the whole one comes back', async () => {
  await using home = await testHome();
  const { ollama } = home.context.home;
  await zeroWeights(home, await seedStore(ollama, 'beta', { seed: 'beta' }));
  await seedStore(ollama, 'alpha', { seed: 'alpha' });
  await removed(home, 'alpha', 'beta');
  const { result, error } = await home.run((context) => undo(context, none));
  expect(error).toBeUndefined();
  expect(result?.steps.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
    'keep beta:latest',
    'restore alpha:latest',
  ]);
});

test('nothing is asked or saved for a restore that can not be', async () => {
  await using home = await testHome();
  const { ollama } = home.context.home;
  const beta = await seedStore(ollama, 'beta', { seed: 'beta' });
  await zeroWeights(home, beta);
  await removed(home, 'beta');
  await rm(blobFile(ollama, beta.blobs[0]!.digest), { force: true });
  await seedStore(ollama, 'beta', beta);
  const asked: string[] = [];
  const context = {
    ...home.context,
    confirm: async (question: string) => {
      asked.push(question);
    },
  };
  const dry = { ...context, flags: { ...context.flags, dryRun: true } };
  for (const each of [context, dry]) {
    expect((await home.run(() => undo(each, none))).error).toMatchObject({ code: 'verification' });
    expect(
      (await home.run(() => restore(each, { id: 'b0001' } as unknown as Arguments))).error,
    ).toMatchObject({
      code: 'verification',
      hint: expect.stringContaining('aixcl backups restore b0001 --to DIR'),
    });
  }
  expect(asked).toEqual([]);
  expect((await snapshotsOf(home)).map(({ id }) => id)).toEqual(['b0001']);
  const to = join(home.root, 'out');
  expect((await home.run((each) => restore(each, { id: 'b0001', to } as unknown as Arguments))).error).toBe(
    undefined,
  );
  expect(existsSync(join(to, 'manifests'))).toBe(true);
});

test('while the index can not be read, that is what is told', async () => {
  await using home = await testHome();
  await seedStore(home.context.home.ollama, 'alpha');
  await removed(home, 'alpha');
  await writeFile(join(home.context.home.vault, 'index.json'), 'x');
  expect((await home.run((context) => undo(context, none))).error).toMatchObject({
    code: 'verification',
    message: expect.stringContaining('index.json'),
    hint: expect.stringContaining('docs/recovery.md'),
  });
});
