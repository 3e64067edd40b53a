import { open, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Vault } from '../../vault/vault.ts';
import { give, makeDirectory, ownershipOf, syncDirectory } from '../durable.ts';
import { Layout } from '../vault/layout.ts';
import { backups, spelled, versionsOf } from '../vault/numbers.ts';

/**
 * Claims, in a second vault whose lock is held, the numbers of snapshots that were deleted here, so that they are not used again by whoever
 * goes on with that vault. Numbers of `present` snapshots are theirs to bring.
 */
export async function claimNumbersOf(here: Vault, there: Vault, present: readonly Snapshot[]): Promise<void> {
  const [from, to] = [new Layout(here.path).numbers, new Layout(there.path).numbers];
  const own = new Set(present.map(placeOf));
  const owner = await ownershipOf(there.path);
  const folders = new Set<string>();
  for (const place of await filesBelow(from)) {
    if (own.has(place)) continue;
    const path = join(to, place);
    await makeDirectory(dirname(path), owner);
    try {
      await using handle = await open(path, 'wx', 0o444);
      await give(handle, owner);
      // Whose it is, so that a deleted version comes back under its own number there, too.
      await handle.writeFile(await readFile(join(from, place)));
      await handle.sync();
      folders.add(dirname(path));
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
  for (const folder of folders) await syncDirectory(folder);
}

function placeOf({ kind, number, subject }: Snapshot): string {
  const series = kind === 'backup' ? backups : versionsOf(subject);
  return join(series.folder, spelled(series, number));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}
