import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError, reasonOf, systemCode } from '../errors.ts';
import type { Journal, JournalEntry, JournalText, LateOperation, Operation } from '../plan/journal.ts';
import { parseJournal } from '../plan/journal-lines.ts';
import { shellWord } from '../shell-word.ts';
import { give, makeDirectory, type Ownership, syncDirectory } from './durable.ts';
import { namesIn } from './names-in.ts';
import { ownIdentity } from './process-identity.ts';

/**
 * The journal in a folder: a file a month (UTC), an entry a line. What is written is one write to the file's end, so that several commands may
 * write at once, and is on the disk before the call answers. `owner`: whom new files are given to.
 */
export function journalAt(folder: string, owner: () => Promise<Ownership | undefined>): Journal {
  const write = together((entries) => append(folder, entries, owner));
  return {
    async begin(command, targets) {
      const begin = await beginning(operationId(new Date()), command, targets);
      await write([begin]);
      return operation(begin.operation, (entry) => write([entry]));
    },
    beginLater: (command, targets) => lateOperation(command, targets, write),
    read: () => read(folder),
    readEnd: () => readEnd(folder),
  };
}

type Write = (entries: readonly JournalEntry[]) => Promise<void>;

function operation(id: string, write: (entry: JournalEntry) => Promise<void>): Operation {
  const stamp = () => ({ time: new Date().toISOString(), operation: id });
  return {
    id,
    step: (kind, target, because) => write({ ...stamp(), event: 'step', kind, target, because }),
    end: (outcome, because) => write({ ...stamp(), event: 'end', outcome, because: because ?? null }),
  };
}

/** Its beginning is written together with its first step. */
function lateOperation(command: string, targets: readonly string[], write: Write): LateOperation {
  const id = operationId(new Date());
  let begun: Promise<JournalEntry> | undefined;
  let isWritten = false;
  const { step, end } = operation(id, async (entry) => {
    const first = begun === undefined;
    begun ??= beginning(id, command, targets);
    try {
      const begin = await begun;
      await write(first ? [begin, entry] : [entry]);
      isWritten = true;
    } catch (error) {
      // The next step tries to begin it again.
      if (!isWritten) begun = undefined;
      throw error;
    }
  });
  return {
    id,
    step,
    end: async (outcome, because) => {
      if (begun !== undefined) await end(outcome, because);
    },
    get began() {
      return isWritten;
    },
  };
}

async function beginning(id: string, command: string, targets: readonly string[]): Promise<JournalEntry> {
  const time = new Date().toISOString();
  const identity = await ownIdentity();
  return {
    time,
    operation: id,
    event: 'begin',
    command,
    targets,
    pid: process.pid,
    ...(identity !== undefined && { process: identity }),
  };
}

/** What comes while something is being written waits, and is then written and synced at once: a sync takes as long for ten lines as for one. */
function together(write: Write): Write {
  let waiting: JournalEntry[] = [];
  let next: Promise<void> | undefined;
  let before: Promise<unknown> = Promise.resolve();
  return (entries) => {
    waiting.push(...entries);
    if (!next) {
      next = before.then(async () => {
        const batch = waiting;
        waiting = [];
        next = undefined;
        await write(batch);
      });
      before = next.catch(() => undefined);
    }
    return next;
  };
}

/** `20261122t013204-1f3a9c`. */
function operationId(now: Date): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** All in the file of the first one's month. */
async function append(
  folder: string,
  entries: readonly JournalEntry[],
  owner: () => Promise<Ownership | undefined>,
): Promise<void> {
  const path = join(folder, `${entries[0]?.time.slice(0, 7)}.jsonl`);
  try {
    const handle = (await openThere(path)) ?? (await makeAndOpen(folder, path, owner));
    try {
      await writeLines(handle, entries);
    } finally {
      await handle.close();
    }
    // Who made the file may have been killed before its name was on the disk.
    if (entries.some(({ event }) => event === 'begin')) await syncDirectory(folder);
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function writeLines(handle: FileHandle, entries: readonly JournalEntry[]): Promise<void> {
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  // What a full disk or a power cut tore off must not take these with it.
  const text = Buffer.from((await endsInLine(handle)) ? lines : `\n${lines}`);
  const { bytesWritten } = await handle.write(text);
  if (bytesWritten < text.length) {
    throw Object.assign(new Error('a part of the line found no room'), { code: 'ENOSPC' });
  }
  await handle.sync();
}

async function endsInLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return true;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] === 0x0a;
}

const appending = constants.O_RDWR | constants.O_APPEND;

async function openThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, appending);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeAndOpen(
  folder: string,
  path: string,
  owner: () => Promise<Ownership | undefined>,
): Promise<FileHandle> {
  const given = await owner();
  // What lies above it is not the journal's to give away.
  await makeDirectory(dirname(folder), undefined);
  await makeDirectory(folder, given);
  const handle = await open(path, appending | constants.O_CREAT, 0o644);
  try {
    await give(handle, given);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function unwritable(path: string, error: unknown): AixclError {
  const code = systemCode(error);
  const what = `the journal ${path} can't be written, so nothing more is done: ${reasonOf(error)}`;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AixclError('noSpace', what, { hint: 'Make room on its disk.', cause: error });
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')
    return new AixclError('refused', what, { hint: `ls -l ${shellWord(path)}`, cause: error });
  return new AixclError('unexpected', what, { cause: error });
}

/** Bytes. */
const endSize = 32 << 10;

async function readEnd(folder: string): Promise<JournalText> {
  const last = (await monthsOf(folder)).at(-1);
  if (last === undefined) return { entries: [], unreadable: 0 };
  const path = join(folder, last);
  return parseJournal(await readable(path, () => endOf(path)));
}

async function endOf(path: string): Promise<string> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const from = Math.max(0, size - endSize);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
  const text = buffer.toString('utf8', 0, bytesRead);
  // The first line may be the end of one.
  return from > 0 ? text.slice(text.indexOf('\n') + 1) : text;
}

async function read(folder: string): Promise<JournalText> {
  const entries: JournalEntry[] = [];
  let unreadable = 0;
  for (const name of await monthsOf(folder)) {
    const path = join(folder, name);
    const month = parseJournal(await readable(path, () => readFile(path, 'utf8')));
    entries.push(...month.entries);
    unreadable += month.unreadable;
  }
  return { entries, unreadable };
}

/** Rights, and what else stands where a file or the folder of the journal should. */
const isNoJournal = new Set(['EACCES', 'EPERM', 'ENOENT', 'EISDIR', 'ELOOP']);

/** Reads a file of the journal, or its folder; `refused` where that can't be read as one. `look`: the command that shows why. */
export async function readable<T>(
  path: string,
  read: () => Promise<T>,
  look = `ls -l ${shellWord(path)}`,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isNoJournal.has(systemCode(error) ?? '')) throw error;
    const what = `the journal ${path} can't be read: ${reasonOf(error)}`;
    throw new AixclError('refused', what, { hint: look, cause: error });
  }
}

/** Names of its files, oldest first. */
export async function monthsOf(folder: string): Promise<string[]> {
  const names = await readable(folder, () => namesIn(folder), `ls -ld ${shellWord(folder)}`);
  return names.filter((name) => /^\d{4}-\d{2}\.jsonl$/.test(name)).sort();
}
