import { randomBytes } from 'node:crypto';
import { rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blobFile, manifestFile } from '../../../test/setup/ollama-model.ts';
import { contentOf, hashOf } from '../../adapters/vault/test-vault.ts';
import { assertWhole, flip, hashName, home, quarantined, signal } from './test-keeper.ts';

test('a damaged blob is mended from the vault alone, and its bytes are kept', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  const [weights, template] = tea.blobs;
  await flip(blobFile(at.directory, weights!.digest));
  await rm(blobFile(at.directory, template!.digest));
  const before = await stat(blobFile(at.directory, tea.blobs[2]!.digest));
  const damaged = await at.keeper.verify(await at.model('tea'), { signal });
  expect(damaged).toHaveLength(2);
  for (const each of damaged) {
    const wish = { vault: at.vault.vault, writer, fetched: null, signal };
    await at.keeper.mend(await at.model('tea'), each, wish);
  }
  await assertWhole(at.directory, 'tea', tea);
  expect(await quarantined(at.vault)).toEqual([weights!.content.length]);
  expect((await stat(blobFile(at.directory, tea.blobs[2]!.digest))).mtimeMs).toBe(before.mtimeMs);
});

test('a blob that is damaged in the vault too is mended from what was fetched, if that is right', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  const { digest, content } = tea.blobs[0]!;
  const fetched = join(at.vault.root, 'fetched');
  await flip(at.vault.vault.blobPath(hashName(digest)));
  await flip(blobFile(at.directory, digest));
  const mend = async (file: string | null) => {
    const [damaged] = await at.keeper.verify(await at.model('tea'), { signal });
    const wish = { vault: at.vault.vault, writer, fetched: file, signal };
    await at.keeper.mend(await at.model('tea'), damaged!, wish);
  };
  await writeFile(fetched, randomBytes(content.length));
  await expect(mend(fetched)).rejects.toMatchObject({ code: 'verification' });
  await writeFile(fetched, content);
  await mend(fetched);
  await assertWhole(at.directory, 'tea', tea);
  await flip(blobFile(at.directory, digest));
  await mend(null);
  await expect(stat(blobFile(at.directory, digest))).rejects.toThrow();
});

test('a manifest that can not be used is mended by the newest one of the vault, and its bytes are kept', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  await truncate(manifestFile(at.directory, 'tea'), 70);
  const [damaged] = await at.keeper.verify(await at.model('tea'), { signal });
  expect(damaged?.path).toBe('manifests/registry.ollama.ai/library/tea/latest');
  const wish = { vault: at.vault.vault, writer, fetched: null, signal };
  await at.keeper.mend(await at.model('tea'), damaged!, wish);
  await assertWhole(at.directory, 'tea', tea);
  expect(await quarantined(at.vault)).toEqual([70]);
});

test('the blobs of the vault stay what they were through all of it', async () => {
  await using at = await home();
  await at.seed('tea');
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  await at.keeper.remove(await at.model('tea'), proof);
  await at.restore(proof.snapshot, writer);
  for (const { digest, size } of proof.snapshot.files) {
    expect(hashOf(await contentOf(await at.vault.vault.openBlob(digest, size)))).toBe(digest);
  }
});
