import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JournalText } from '../plan/journal.ts';
import { parseJournal } from '../plan/journal-lines.ts';
import { monthsOf, readable } from './journal.ts';

/** How often it is looked at, in milliseconds. */
const lookAgainMs = 250;

/**
 * All that a journal says, then what comes, as it comes: also into the file of a new month, and into a journal that is yet to be made. A line
 * is told once it is whole. Ends when `signal` is aborted.
 */
export async function* followJournal(folder: string, signal: AbortSignal): AsyncGenerator<JournalText> {
  const read = new Map<string, number>();
  for (let first = true; !signal.aborted; first = false) {
    const lines: Buffer[] = [];
    for (const name of await monthsOf(folder)) {
      const path = join(folder, name);
      const { bytes, end } = await readable(path, () => linesFrom(path, read.get(name) ?? 0));
      read.set(name, end);
      lines.push(bytes);
    }
    const text = Buffer.concat(lines).toString('utf8');
    if (first || text !== '') yield parseJournal(text);
    await delay(lookAgainMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The whole lines from a place on, and where the next one begins. */
async function linesFrom(path: string, from: number): Promise<{ bytes: Buffer; end: number }> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const rest = Buffer.alloc(Math.max(0, size - from));
  const { bytesRead } = await handle.read(rest, 0, rest.length, from);
  const bytes = rest.subarray(0, rest.subarray(0, bytesRead).lastIndexOf(0x0a) + 1);
  return { bytes, end: from + bytes.length };
}
