import { expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { vaultOf } from '../../../wiring/vault.ts';
import { saved, spoil, testHome } from './test-home.ts';
import { verify } from './verify.ts';

test('each snapshot that was checked has its outcome, right or damaged', async () => {
  await using home = await testHome();
  const vault = vaultOf(home.context);
  await saved(vault, 'tea.gguf', 'op-1');
  const ale = await saved(vault, 'ale.gguf', 'op-2');
  const verified = () => home.run((context) => verify(context, {} as Arguments));
  expect((await verified()).result?.steps).toEqual([
    { kind: 'verify', target: 'b0002 (ale.gguf)', outcome: 'done', because: 'every byte is right' },
    { kind: 'verify', target: 'b0001 (tea.gguf)', outcome: 'done', because: 'every byte is right' },
  ]);
  await spoil(vault.blobPath(ale.files[0]!.digest), 'model ALE.gguf');
  const { result, error } = await verified();
  expect(result?.steps).toMatchObject([
    { target: 'b0002 (ale.gguf)', outcome: 'failed', because: expect.stringContaining('ale.gguf: ') },
    { target: 'b0001 (tea.gguf)', outcome: 'done' },
  ]);
  expect(error).toMatchObject({ code: 'verification', message: expect.stringContaining('1 thing is') });
});
