import { rm, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { draft, options, publish, type TestVault } from '../../../src/adapters/vault/test-vault.ts';
import type { Digest } from '../../../src/vault/digest.ts';
import { addEntry, flip, now, present } from './tampering.ts';

/** What goes, and what keeps it from going. */
export function deletes(make: () => Promise<TestVault>): void {
  const grace = 3600;
  describe('deletes', () => {
    test('with a snapshot the blobs that were its alone', async () => {
      await using home = await make();
      await using writer = await home.open();
      const [a, b, c] = [await home.live('a'), await home.live('b'), await home.live('c')];
      await publish(writer, [a, b]);
      await publish(writer, [b, c]);
      const { freed } = await writer.remove(['b0001'], now());
      expect(freed).toBeGreaterThanOrEqual(a.size);
      expect(await present(home, a.digest, b.digest, c.digest)).toEqual([false, true, true]);
      await expect(writer.remove(['b0001'], now())).rejects.toMatchObject({ code: 'notFound' });
    });

    test('by collecting: what no snapshot names and is old enough, and nothing in a dry run', async () => {
      await using home = await make();
      await using writer = await home.open();
      const [kept, loose] = [await home.live('a'), await home.live('b')];
      await publish(writer, [kept]);
      await writer.takeIn(loose, options('copy'));
      const young = await writer.collect({ now: now(), graceSeconds: grace, dryRun: false });
      expect(young).toEqual({ blobs: [], bytes: 0, young: 1 });
      const later = new Date(Date.now() + 2 * grace * 1000);
      const dry = await writer.collect({ now: later, graceSeconds: grace, dryRun: true });
      expect(dry.blobs).toEqual([{ digest: loose.digest, size: loose.size }]);
      expect(await present(home, loose.digest)).toEqual([true]);
      await writer.collect({ now: later, graceSeconds: grace, dryRun: false });
      expect(await present(home, kept.digest, loose.digest)).toEqual([true, false]);
    });

    test('what was linked in by its coming, not by the age of its bytes', async () => {
      await using home = await make();
      await using writer = await home.open();
      const file = await home.live('a');
      await utimes(file.full, 1e9, 1e9);
      await writer.takeIn(file, options('link'));
      expect((await writer.collect({ now: now(), graceSeconds: grace, dryRun: false })).young).toBe(1);
    });

    const damages: [string, (home: TestVault, files: readonly Digest[]) => Promise<void>][] = [
      ['a manifest is missing', (home, [, manifest]) => rm(home.vault.blobPath(manifest as Digest))],
      ['a manifest is damaged', (home, [, manifest]) => flip(home.vault.blobPath(manifest as Digest))],
      ['index.json is cut off', (home) => truncate(join(home.path, 'index.json'), 30)],
      ['index.json is gone', (home) => rm(join(home.path, 'index.json'))],
      ['an entry of index.json is not ours', (home) => addEntry(home, { digest: 'x' })],
    ];
    test.each(damages)('nothing while %s', async (_, damage) => {
      await using home = await make();
      await using writer = await home.open();
      const [a, b] = [await home.live('a'), await home.live('b')];
      await publish(writer, [a]);
      const { digest } = await publish(writer, [b]);
      await damage(home, [a.digest, digest]);
      const later = new Date(Date.now() + 1e9);
      expect((await home.vault.contents()).broken).toHaveLength(1);
      await expect(writer.remove(['b0001'], later)).rejects.toMatchObject({ exitCode: expect.any(Number) });
      await expect(writer.collect({ now: later, graceSeconds: 0, dryRun: false })).rejects.toThrow();
      expect(await present(home, a.digest, b.digest)).toEqual([true, true]);
    });

    test('nothing while a snapshot is dated in the future', async () => {
      await using home = await make();
      await using writer = await home.open();
      const file = await home.live('a');
      await publish(writer, [file], draft('x', { created: new Date(Date.now() + 1e9) }));
      await expect(writer.remove(['b0001'], now())).rejects.toMatchObject({ code: 'refused' });
      const collected = writer.collect({ now: now(), graceSeconds: 0, dryRun: false });
      await expect(collected).rejects.toMatchObject({ code: 'refused' });
    });

    test('nothing by collecting while a blob of a snapshot is missing', async () => {
      await using home = await make();
      await using writer = await home.open();
      const [a, b] = [await home.live('a'), await home.live('b')];
      await publish(writer, [a]);
      await writer.takeIn(b, options('copy'));
      await rm(home.vault.blobPath(a.digest));
      const later = new Date(Date.now() + 1e9);
      await expect(writer.collect({ now: later, graceSeconds: 0, dryRun: false })).rejects.toMatchObject({
        code: 'refused',
      });
      expect(await present(home, b.digest)).toEqual([true]);
    });
  });
}
