import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { checkVault } from '../../../doctor/checks/vault.ts';
import { examined } from '../../../doctor/test-examined.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { create } from '../backups/create.ts';
import { spoil, type TestHome, testHome } from '../vault/test-home.ts';
import { verify } from '../vault/verify.ts';
import { lookAtVault } from './look-at-vault.ts';
import type { Surroundings } from './surroundings.ts';

/** A good backup of a model, b0001, and one of what became of it: b0002. */
async function homeWithBoth(): Promise<TestHome> {
  const home = await testHome();
  const path = join(home.context.home.models, 'tea.gguf');
  await mkdir(home.context.home.models);
  await writeSelfTestModel(path);
  const keeper = await keeperOf(home.context, 'llama-server');
  await keeper.verify((await keeper.find('tea.gguf'))!, { signal: home.context.signal });
  await home.run((context) => create(context, { names: ['tea.gguf'] } as unknown as Arguments));
  const bytes = await readFile(path);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(path, bytes);
  await home.run((context) => create(context, { names: ['tea.gguf'] } as unknown as Arguments));
  return home;
}

/** Checks of what doctor finds in the vault. */
async function found({ context }: TestHome) {
  const vault = async () => await vaultOf(context).contents();
  const seen = await lookAtVault({ context, vault } as unknown as Surroundings);
  return checkVault(examined({ vault: seen })).filter(({ check }) => check.startsWith('snapshot-'));
}

test('doctor and vault verify say the same of a snapshot whose model was damaged already: nothing to repair', async () => {
  await using home = await homeWithBoth();
  const verified = (repair: boolean) =>
    home.run((context) => verify(context, { repair } as unknown as Arguments));
  for (const repair of [false, true]) {
    expect((await verified(repair)).error).toBeUndefined();
    expect(await found(home)).toMatchObject([{ check: 'snapshot-of-damaged', level: 'note' }]);
  }
  const vault = vaultOf(home.context);
  const { snapshots } = await vault.contents();
  const good = snapshots.find(({ id }) => id === 'b0001')!;
  const blob = vault.blobPath(good.files[0]!.digest);
  await spoil(blob, Buffer.alloc((await readFile(blob)).length));
  expect((await verified(false)).error).toMatchObject({ code: 'verification' });
  expect(await found(home)).toMatchObject([
    { check: 'snapshot-damaged', level: 'problem', what: expect.stringContaining('b0001') },
    { check: 'snapshot-of-damaged', what: expect.stringContaining('b0002') },
  ]);
});
