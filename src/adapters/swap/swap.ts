import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { chmod, lstat, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Subject } from '../../vault/subject.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { makeDirectory, type Ownership, ownershipOf, replaceFile, syncDirectory } from '../durable.ts';
import { publishFile, publishFolder } from '../models-directory/publish.ts';
import { namesIn } from '../names-in.ts';

/**
 * A change of several names that happens as a whole: what stands goes aside, what is staged takes its place. It is noted on the disk before
 * anything is made, so that the next command finishes it, or takes it back where nothing has its new name yet. All paths absolute.
 */
export interface Swap {
  readonly operation: string;
  /** Whose bytes go aside or are written over, and the snapshot that holds them; null when none do. */
  readonly saved: { readonly subject: Subject; readonly snapshot: string } | null;
  /** In this order. The first one decides: once it is made, the change goes on to its end. */
  readonly moves: readonly Move[];
  /** What went aside, once all moves are made. */
  readonly gone: readonly GoneFile[];
  /** Emptied and removed in the end, and where the change is taken back: what was staged. */
  readonly staged: readonly string[];
  /** Removed in the end. */
  readonly clear: readonly string[];
  /** For whoever finishes it: what is to be written beside the new names. */
  readonly after: unknown;
}

export interface Move {
  readonly from: string;
  readonly to: string;
  /** Takes the place of a file under that name in one step. Else a name that is taken is left alone. */
  readonly over?: boolean;
  /** Out of the way: `to` is nobody else's, and `from` gets something new later. */
  readonly aside?: boolean;
}

export interface GoneFile {
  /** Where it lies after the moves. */
  readonly path: string;
  /** In the snapshot. */
  readonly file: string;
}

/** Thrown when a name that was free is taken. */
export class NameTaken extends Error {
  readonly path: string;
  constructor(path: string) {
    super(`${path} is taken`);
    this.path = path;
  }
}

export interface SwapWork {
  /** Folder of the notes. */
  readonly notes: string;
  readonly owner: Ownership | undefined;
  /** Makes what is staged, fsynced; answers `after`. */
  stage?(): Promise<unknown>;
  /** Called after the moves; when it throws, they are taken back. */
  check?(): Promise<void>;
  /** Called with all names in place. */
  finish(swap: Swap): Promise<void>;
}

/** Makes the change. `proof`: that what goes is in the vault. Throws `NameTaken`, with everything as it was. */
export async function carryOut(swap: Swap, proof: VerifiedBackup | 'nothing', work: SwapWork): Promise<void> {
  let noted = swap;
  const note = join(work.notes, `${swap.operation}-${randomBytes(4).toString('hex')}.json`);
  const write = (phase: Phase) => replaceFile(note, `${JSON.stringify({ ...noted, phase })}\n`, work.owner);
  await makeDirectory(work.notes, work.owner);
  const made: Move[] = [];
  let begun: Move | undefined;
  try {
    if (work.stage) {
      await write('staging');
      noted = { ...swap, after: await work.stage() };
    }
    await write('moving');
    if (swap.saved) {
      if (proof === 'nothing') throw new Error('what goes needs a proof');
      await proof.assertCovers(swap.saved.subject);
    }
    for (const move of swap.moves) {
      begun = move;
      await make(move, work.owner);
      begun = undefined;
      made.push(move);
    }
    await work.check?.();
  } catch (error) {
    // The name may have changed before what comes after it failed: a sync, say.
    if (begun && !begun.over && !(error instanceof NameTaken) && (await isMade(begun))) made.push(begun);
    // What is written over can't be brought back; it is the only move then.
    for (const { from, to } of made.reverse()) await make({ from: to, to: from }, work.owner);
    await discard(swap.staged);
    await rm(note, { force: true });
    throw error;
  }
  await write('clearing');
  await work.finish(noted);
  await discard([...swap.staged, ...swap.clear]);
  await remove(note);
}

/** `staging`: nothing has a new name yet. `moving`: all is staged, and the moves began or can begin. `clearing`: all moves are made. */
type Phase = 'staging' | 'moving' | 'clearing';

export interface NotedSwap {
  readonly note: string;
  readonly swap: Swap & { readonly phase: Phase };
}

/** Changes that are noted and not finished: their commands were killed, or are at it now. */
export async function notedSwaps(notes: string): Promise<NotedSwap[]> {
  const found: NotedSwap[] = [];
  for (const name of (await namesIn(notes)).sort()) {
    if (!name.endsWith('.json')) continue;
    const note = join(notes, name);
    const text = await textOf(note);
    if (text !== undefined) found.push({ note, swap: parse(note, text) });
  }
  return found;
}

/** Undefined: its command has come to its end since it was listed. */
async function textOf(note: string): Promise<string | undefined> {
  try {
    return await readFile(note, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes away notes that were half-written when their command was killed. Only with the vault's lock. */
export async function clearHalfNotes(notes: string): Promise<void> {
  for (const name of await namesIn(notes)) if (name.startsWith('.tmp-')) await unlink(join(notes, name));
}

function parse(note: string, text: string): NotedSwap['swap'] {
  try {
    return JSON.parse(text) as NotedSwap['swap'];
  } catch (cause) {
    throw new AixclError('unexpected', `${note}, which notes an unfinished change, can't be read`, {
      hint: `Look at it and at the model it names, then: rm ${shellWord(note)}`,
      cause,
    });
  }
}

export interface SettleWork extends Pick<SwapWork, 'finish'> {
  /** Told which of the two it is to be, before anything is done. */
  decided(end: SwapEnd): Promise<void>;
  /** Asked before what went aside is removed; throws when that is not in the vault. */
  prove(files: readonly GoneFile[]): Promise<void>;
}

export type SwapEnd = 'finished' | 'taken back';

/** Brings a noted swap to its end, or takes it back. Answers which of the two it was. */
export async function settle({ note, swap }: NotedSwap, work: SettleWork): Promise<SwapEnd> {
  const end = (await goesOn(swap)) ? 'finished' : 'taken back';
  await work.decided(end);
  if (end === 'taken back') {
    await discard(swap.staged);
    await remove(note);
    return end;
  }
  if (swap.phase === 'moving') await makeRest(swap, await ownershipOf(dirname(note)));
  const left: GoneFile[] = [];
  for (const file of swap.gone) if (await there(file.path)) left.push(file);
  await work.prove(left);
  await work.finish(swap);
  await discard([...swap.staged, ...swap.clear]);
  await remove(note);
  return end;
}

/** Whether the first move was made, which decides. */
async function goesOn({ phase, moves: [first] }: NotedSwap['swap']): Promise<boolean> {
  if (phase !== 'moving') return phase === 'clearing';
  return first !== undefined && (await isMade(first));
}

async function makeRest({ moves: [, ...others] }: Swap, owner: Ownership | undefined): Promise<void> {
  for (const move of others) {
    if (await isMade(move)) continue;
    // Someone else may have given the name to something; the bytes that were to have it are in the vault.
    await make(move, owner).catch((error: unknown) => {
      if (!(error instanceof NameTaken)) throw error;
    });
  }
}

async function isMade({ from, to, over, aside }: Move): Promise<boolean> {
  const [source, target] = [await there(from), await there(to)];
  if (!source) return true;
  // Killed between the new name and the loss of the old one.
  if (!over && source.isFile() && source.ino === target?.ino && source.dev === target.dev) {
    await remove(from);
    return true;
  }
  return aside === true && target !== undefined;
}

async function make({ from, to, over }: Move, owner: Ownership | undefined): Promise<void> {
  await makeDirectory(dirname(to), owner);
  if (over) {
    await rename(from, to);
    await syncDirectory(dirname(to));
    return;
  }
  const folder = (await lstat(from)).isDirectory();
  if (!(await (folder ? publishFolder(from, to) : publishFile(from, to)))) throw new NameTaken(to);
  await syncDirectory(dirname(from));
}

async function there(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function discard(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (!(await there(path))) continue;
    await removeAll(path);
    await syncDirectory(dirname(path));
  }
}

/** Folders that can only be read, as their owner wants them, keep nobody from removing what is in them. */
async function removeAll(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openFolders(join(path, name));
}

async function remove(path: string): Promise<void> {
  await unlink(path);
  await syncDirectory(dirname(path));
}
