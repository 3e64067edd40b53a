import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 4000; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await delay(5);
  }
  throw new Error('it did not come to that in 20 s');
}

/** Whether the last to take the lock of a vault said `holder` of itself. */
export async function isHeldBy(vault: string, holder: string): Promise<boolean> {
  return (await readFile(join(vault, 'lock'), 'utf8').catch(() => '')).includes(holder);
}
