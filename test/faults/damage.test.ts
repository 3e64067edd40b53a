import { chmod, open, readFile, rm, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  blobOf,
  contentOf,
  faultHome,
  faultTest,
  isSaved,
  loopDisk,
  rot,
  savedIn,
  writeModel,
} from './lab/fault-test.ts';

/** A home with one model, backed up as b0001. */
async function homeWithBackup(places: Parameters<typeof faultHome>[0] = {}) {
  const home = await faultHome(places);
  const file = join(home.models, 'tea.gguf');
  const sha256 = await writeModel(file, 'tea');
  await home.must(['backups', 'create']);
  return { home, file, sha256, blob: blobOf(home.vault, sha256), tea: { 'tea.gguf': sha256 } };
}

/** One bit, with size and times as they were. */
async function flip(path: string, offset = 50_000): Promise<void> {
  const { mode, atime, mtime } = await stat(path);
  await chmod(path, 0o644);
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, offset);
  await file.close();
  await utimes(path, atime, mtime);
  await chmod(path, mode);
}

async function zero(path: string): Promise<void> {
  const { mode, size } = await stat(path);
  await chmod(path, 0o644);
  await truncate(path, 0);
  await truncate(path, size);
  await chmod(path, mode);
}

async function cut(path: string): Promise<void> {
  const { mode } = await stat(path);
  await chmod(path, 0o644);
  await truncate(path, 1000);
  await chmod(path, mode);
}

const damages = { 'cut off': cut, zeroed: zero, 'of one flipped bit': flip };

for (const [what, damage] of Object.entries(damages)) {
  faultTest(
    `6, 7: a blob of the vault that is ${what} is found and named, and nothing is brought back from it`,
    async () => {
      const { home, file, sha256, blob } = await homeWithBackup();
      await using _ = home;
      await damage(blob);
      for (const args of [
        ['vault', 'verify'],
        ['backups', 'verify'],
        ['backups', 'verify', 'b0001'],
      ]) {
        const { code, stdout, stderr } = await home.run(args);
        expect.soft({ args, code }).toEqual({ args, code: 7 });
        for (const named of ['b0001', 'tea.gguf', sha256]) expect.soft(`${stdout}${stderr}`).toContain(named);
      }
      const [backup] = (await home.must(['backups', 'list', '--format', 'json'])).json;
      expect(backup).toMatchObject({ id: 'b0001', verified: null, damage: expect.any(String) });
      await rm(file);
      await writeModel(file, 'other');
      const standing = await contentOf(file);
      const restored = await home.run(['backups', 'restore', 'b0001', '--yes']);
      expect(restored.code).toBe(7);
      expect(await contentOf(file)).toEqual(standing);
    },
  );

  faultTest(
    `6, 7: a backup of the live model mends a blob that is ${what}, and keeps what was wrong`,
    async () => {
      const { home, blob, tea } = await homeWithBackup();
      await using _ = home;
      await damage(blob);
      const wrong = await readFile(blob);
      await home.must(['backups', 'create', '--verify']);
      expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
      const aside = Object.values((await contentOf(join(home.vault, 'quarantine')))!);
      const { createHash } = await import('node:crypto');
      expect(aside).toContain(createHash('sha256').update(wrong).digest('hex'));
      await home.must(['vault', 'verify']);
    },
  );

  faultTest(
    `6, 7: removing a model re-hashes the copy that the vault has: ${what}, it does not count`,
    async () => {
      const { home, file, blob, tea } = await homeWithBackup();
      await using _ = home;
      await damage(blob);
      await home.must(['models', 'remove', 'tea.gguf', '--yes']);
      expect(await contentOf(file)).toBeUndefined();
      expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    },
  );

  faultTest(`vault verify --repair takes a blob that is ${what} anew from the live model`, async () => {
    const { home, blob, tea } = await homeWithBackup();
    await using _ = home;
    await damage(blob);
    await home.must(['vault', 'verify', '--repair']);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    const [backup] = (await home.must(['backups', 'list', '--format', 'json'])).json;
    expect(backup).toMatchObject({ verified: expect.any(String) });
  });
}

faultTest('7: bits that rot under a file, its times untouched, are found by hashing', async () => {
  using disk = loopDisk(32 << 20);
  const { home, file, blob } = await homeWithBackup({ vault: join(disk.path, 'vault') });
  await using _ = home;
  const bytes = await readFile(blob);
  disk.unmount();
  await rot(disk.image, bytes.subarray(40_000, 40_256));
  disk.mount();
  // The identity that was noted is the same, so a plain backup has no reason to look.
  expect((await home.run(['vault', 'verify'])).code).toBe(7);
  await home.must(['models', 'remove', 'tea.gguf', '--yes']);
  await home.must(['undo', '--yes']);
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
});

faultTest('41: verified, then rotten: nothing is deleted for its sake', async () => {
  using disk = loopDisk(32 << 20);
  const { home, file, blob, tea } = await homeWithBackup({ vault: join(disk.path, 'vault') });
  await using _ = home;
  const sidecar = join(home.models, '.aixcl');
  await home.must(['backups', 'verify']);
  const bytes = await readFile(blob);
  disk.unmount();
  await rot(disk.image, bytes.subarray(40_000, 40_256));
  disk.mount();
  // The only good copy is the live one. Its removal may not rest on what was verified before.
  const { code } = await home.run(['models', 'remove', 'tea.gguf', '--yes']);
  const live = await contentOf(file);
  const saved = isSaved(await savedIn(home.vault), tea);
  expect({ code, kept: live !== undefined || saved }).toEqual({ code, kept: true });
  if (code === 0) expect(saved).toBe(true);
  expect(await contentOf(sidecar)).toBeDefined();
});
