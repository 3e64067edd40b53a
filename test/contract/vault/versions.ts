import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { draft, options, publish, type TestVault } from '../../../src/adapters/vault/test-vault.ts';
import type { Snapshot } from '../../../src/vault/snapshot.ts';
import type { TakenFile, VaultWriter } from '../../../src/vault/vault.ts';
import { deletedRecord } from '../../../src/vault/version-files.ts';
import { now } from './tampering.ts';

const wish = (operation = 'test-1') => ({ created: now(), reason: 'it was deleted', operation });

/** Takes the files of a snapshot of another vault in. */
function takenFrom(from: TestVault, { files }: Snapshot, writer: VaultWriter): Promise<TakenFile[]> {
  return Promise.all(
    files.map(async ({ path, digest, size }) => {
      const bytes = { kind: 'file', path: from.vault.blobPath(digest) } as const;
      return {
        path,
        evidence: await writer.takeIn({ path, digest, size, proven: false, bytes }, options('copy')),
      };
    }),
  );
}

/** What becomes of versions that are deleted, and come back. */
export function retires(make: () => Promise<TestVault>): void {
  async function version(home: TestVault, writer: VaultWriter, seed: string): Promise<Snapshot> {
    const file = await home.live(seed);
    const facts = { trainingData: [{ path: '/x', size: 1, sha256: seed }] };
    const what = draft('tea', {
      kind: 'version',
      backupType: null,
      reason: `/${seed}\n"x" 🍵`,
      facts,
      operation: `op-${seed}`,
    });
    return publish(writer, [file], what);
  }

  async function ids(home: TestVault): Promise<string[]> {
    return (await home.vault.contents()).snapshots.map(({ id }) => id).sort();
  }

  test('a version says in its metadata which one it is', async () => {
    await using home = await make();
    await using writer = await home.open();
    const made = await version(home, writer, 'a');
    const { metadata } = await home.vault.record(made);
    expect(JSON.parse(Buffer.from(metadata).toString('utf8'))).toMatchObject({
      id: 'tea@v001',
      model: 'tea',
      description: '/a\n"x" 🍵',
    });
  });

  test('a version that is deleted is a backup with all of its bytes; nothing of it is copied', async () => {
    await using home = await make();
    await using writer = await home.open();
    const made = await version(home, writer, 'a');
    const before = await home.vault.blobs();
    const backup = await writer.retire('tea@v001', wish());
    expect(backup).toMatchObject({
      id: 'b0001',
      kind: 'backup',
      backupType: 'deleted_version',
      subject: made.subject,
      verified: made.verified,
      reason: 'it was deleted',
      facts: { ...made.facts, taken: true, deletedVersion: { id: 'tea@v001', number: 1 } },
    });
    expect(backup.files.map(({ path }) => path)).toEqual(['a', deletedRecord]);
    const { snapshots, broken } = await home.vault.contents();
    expect([snapshots, broken]).toEqual([[backup], []]);
    // Its manifest gave way to that of the backup, which has metadata of its own.
    expect((await home.vault.blobs()).size).toBe(before.size + 1);
    expect((await home.vault.blobs()).has(made.digest)).toBe(false);
    expect(await writer.collect({ now: now(), graceSeconds: 0, dryRun: false })).toMatchObject({ blobs: [] });
  });

  test('it comes back as it was, byte for byte, under its own number, and its backup stays', async () => {
    await using home = await make();
    await using writer = await home.open();
    await version(home, writer, 'a');
    const made = await version(home, writer, 'b');
    const record = await home.vault.record(made);
    await writer.retire('tea@v002', wish());
    expect((await version(home, writer, 'c')).id).toBe('tea@v003');
    expect(await writer.reinstate('b0001')).toEqual(made);
    expect(await home.vault.record(made)).toEqual(record);
    expect(await ids(home)).toEqual(['b0001', 'tea@v001', 'tea@v002', 'tea@v003']);
    expect((await writer.reinstate('b0001')).id).toBe('tea@v002');
    expect((await version(home, writer, 'd')).id).toBe('tea@v004');
    const again = await writer.retire('tea@v002', wish('test-2'));
    expect(again.id).toBe('b0002');
    expect((await writer.reinstate(again.id)).id).toBe('tea@v002');
  });

  test('a number that another version has, or had, is not taken from it', async () => {
    await using home = await make();
    await using other = await make();
    await using writer = await home.open();
    await using elsewhere = await other.open();
    await version(other, elsewhere, 'theirs');
    const theirs = await elsewhere.retire('tea@v001', wish());
    const taken = await takenFrom(other, theirs, writer);
    await version(home, writer, 'ours');
    const adopted = await writer.adopt(await other.vault.record(theirs), taken);
    expect((await writer.reinstate(adopted.id)).id).toBe('tea@v002');
    await writer.remove(['tea@v001', 'tea@v002'], now());
    expect((await writer.reinstate(adopted.id)).id).not.toBe('tea@v001');
  });

  test('a version adopted where its number is free keeps it, also after it was deleted there', async () => {
    await using home = await make();
    await using other = await make();
    await using writer = await home.open();
    await using elsewhere = await other.open();
    await version(home, writer, 'a');
    const made = await version(home, writer, 'b');
    const adopt = async () => {
      const taken = await takenFrom(home, made, elsewhere);
      return elsewhere.adopt(await home.vault.record(made), taken, made.number);
    };
    expect((await adopt()).id).toBe('tea@v002');
    await elsewhere.remove(['tea@v002'], now());
    expect((await adopt()).id).toBe('tea@v002');
    expect((await version(other, elsewhere, 'c')).id).toBe('tea@v003');
  });

  test('only versions are retired, and only what one was comes back', async () => {
    await using home = await make();
    await using writer = await home.open();
    await publish(writer, [await home.live('a')]);
    await expect(writer.retire('b0001', wish())).rejects.toMatchObject({ code: 'usage' });
    await expect(writer.retire('tea@v001', wish())).rejects.toMatchObject({ code: 'notFound' });
    await expect(writer.reinstate('b0001')).rejects.toMatchObject({ code: 'usage' });
    await version(home, writer, 'v');
    const backup = await writer.retire('tea@v001', wish());
    const record = backup.files.find(({ path }) => path === deletedRecord)!;
    const text = await readFile(home.vault.blobPath(record.digest), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ kind: 'version', id: 'tea@v001' });
  });
}
