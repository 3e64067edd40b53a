import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { Layout } from './layout.ts';

/** Room, in bytes, that a vault keeps for itself: enough for a new index, by which a full disk gets room again. */
const size = 64 * 1024;

/** Takes the room while there is some. */
export async function keepReserve(root: string): Promise<void> {
  await writeFile(pathOf(root), Buffer.alloc(size, 1), { flag: 'wx', mode: 0o600 }).catch(async (error) => {
    // Half of it would be there for ever.
    if (systemCode(error) === 'ENOSPC') await unlink(pathOf(root)).catch(() => undefined);
  });
}

/** Does `work`; where the disk is full, once more with the room that was kept, or else that of the receipts, which spare work alone. */
export async function withReserve<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error) || !(await spend(root))) throw error;
    return await work();
  }
}

/** A full disk, or a full quota. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
}

async function spend(root: string): Promise<boolean> {
  if (await gone(pathOf(root))) return true;
  const { receipts } = new Layout(root);
  const names = await readdir(receipts).catch(() => []);
  return (await Promise.all(names.map((name) => gone(join(receipts, name))))).includes(true);
}

async function gone(path: string): Promise<boolean> {
  return await unlink(path).then(
    () => true,
    () => false,
  );
}

function pathOf(root: string): string {
  return join(root, '.reserve');
}
