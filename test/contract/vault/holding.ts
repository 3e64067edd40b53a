import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { draft, options, type TestVault } from '../../../src/adapters/vault/test-vault.ts';
import { inodeOf } from './tampering.ts';

/** Who may write, what killed commands leave, what is set aside. */
export function holds(make: () => Promise<TestVault>): void {
  test('a vault is for its owner alone to look into: folders that were saved may have been so', async () => {
    await using home = await make();
    await using writer = await home.open();
    expect((await stat(writer.vault.path)).mode & 0o777).toBe(0o700);
  });

  test('has one writer, and tells others who it is', async () => {
    await using home = await make();
    {
      await using _writer = await home.open();
      const second = home.open('test-2');
      await expect(second).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining(`aixcl test (pid ${process.pid})`),
      });
    }
    await using _again = await home.open('test-3');
  });

  test('writes nothing once its lock was let go', async () => {
    await using home = await make();
    const writer = await home.open();
    const file = await home.live('a');
    const evidence = await writer.takeIn(file, options('copy'));
    await writer[Symbol.asyncDispose]();
    await expect(writer.publish(draft(), [{ path: 'a', evidence }])).rejects.toThrow('lock');
    await expect(writer.assertUnchanged([evidence])).rejects.toMatchObject({ code: 'verification' });
  });

  test('clears what a killed command left half written', async () => {
    await using home = await make();
    {
      await using _writer = await home.open();
    }
    const left = join(home.path, 'ingest', 'killed-1');
    await mkdir(left);
    await writeFile(join(left, '1'), 'half');
    await writeFile(join(home.path, '.tmp-1'), 'half');
    {
      await using _writer = await home.open('test-2');
    }
    expect(await readdir(join(home.path, 'ingest'))).toEqual([]);
    await expect(stat(join(home.path, '.tmp-1'))).rejects.toThrow('ENOENT');
  });

  test('keeps damaged bytes from elsewhere, with a note of where they come from', async () => {
    await using home = await make();
    await using writer = await home.open();
    const [stays, goes] = [await home.live('a'), await home.live('b')];
    const kept = await writer.quarantine(stays, { move: false, why: 'a test' });
    const moved = await writer.quarantine(goes, { move: true, why: 'a test' });
    expect([await readFile(kept), await readFile(moved)]).toEqual([stays.content, goes.content]);
    expect(await inodeOf(kept)).not.toBe(await inodeOf(stays.full));
    await expect(stat(goes.full)).rejects.toThrow('ENOENT');
    const note = JSON.parse(await readFile(`${moved}.json`, 'utf8'));
    expect(note).toMatchObject({ why: 'a test', from: goes.full, expected: goes.digest });
  });

  test('is made in no folder that holds other things', async () => {
    await using home = await make();
    await mkdir(home.path);
    await writeFile(join(home.path, 'letters.txt'), 'mine');
    await expect(home.open()).rejects.toMatchObject({ code: 'refused' });
    expect(await readdir(home.path)).toEqual(['letters.txt']);
  });
}
