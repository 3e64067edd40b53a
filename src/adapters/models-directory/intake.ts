import { lstat, open, readdir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Intake, LocalThing, Probe } from '../../models/intake.ts';
import { decodeFileName, quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import { probeUrl } from '../download/probe.ts';
import { assertFolder } from './assert-folder.ts';
import { openCollection } from './collection.ts';
import { onDisk } from './disk-errors.ts';
import { inspectFile } from './inspect-file.ts';
import { openInside } from './open-inside.ts';
import { openReceived } from './received.ts';
import { hashFile, readRecord } from './records.ts';

/** Brings models into `directory`, which is made when the first bytes come. */
export function intakeInto(directory: string): Intake {
  return {
    async probe(location, signal) {
      return location.kind === 'http'
        ? await probeUrl(location.url, { signal, attempts: 3, authorization: location.authorization })
        : await probePath(location.path);
    },
    look,
    async space() {
      const { bavail, blocks, bsize } = await statfs(await nearest(directory));
      return { free: bavail * bsize, total: blocks * bsize };
    },
    standing: (name) => onDisk(directory, () => standing(directory, name)),
    async standingRecord(name, file, options) {
      const path = file === '' ? name : join(name, file);
      const record = await readRecord(directory, path);
      if (record) return record;
      await using handle = await openInside(directory, path);
      return { sha256: await hashWithProgress(handle, options), source: null, version: null };
    },
    async hashLocal(path, options) {
      await using handle = await open(path);
      return await hashWithProgress(handle, options);
    },
    async collect(order) {
      const received = order.files.every(({ location }) => location.kind === 'received');
      return received ? await openReceived(directory, order) : await openCollection(directory, order);
    },
  };
}

async function hashWithProgress(
  handle: Awaited<ReturnType<typeof open>>,
  options: { signal: AbortSignal; onProgress?: (done: number) => void },
): Promise<string> {
  let done = 0;
  return await hashFile(handle, {
    signal: options.signal,
    onBytes: (count) => {
      done += count;
      options.onProgress?.(done);
    },
  });
}

async function look(path: string): Promise<LocalThing | undefined> {
  try {
    const real = await realpath(resolve(path));
    const stats = await stat(real);
    if (!stats.isDirectory()) return { path: real, kind: stats.isFile() ? 'file' : 'other', names: [] };
    const entries = await readdir(real, { encoding: 'buffer' });
    const names = entries.map(decodeFileName).filter((name) => name !== undefined);
    return { path: real, kind: 'folder', names: names.sort() };
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    if (code === 'EACCES') throw unreadable(path, error);
    if (code === 'ELOOP')
      throw new AixclError('usage', `${quoted(path)} is a link that leads back to itself`);
    throw error;
  }
}

/** A file that is no model is refused before a byte of it is copied. */
async function probePath(path: string): Promise<Probe> {
  try {
    await inspectFile(path, basename(path), { thorough: false });
    return { size: (await stat(path)).size, sha256: null, version: null };
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw unreadable(path, error);
    throw error;
  }
}

function unreadable(path: string, cause: unknown): AixclError {
  return new AixclError('refused', `${quoted(path)} can't be read by this user`, {
    hint: `ls -l ${shellWord(path)}`,
    cause,
  });
}

/** A single file stands under the empty name. */
async function standing(directory: string, name: string): Promise<ReadonlyMap<string, number> | undefined> {
  await assertFolder(directory);
  const path = join(directory, name);
  try {
    const stats = await lstat(path);
    if (!stats.isDirectory()) return new Map([['', stats.isFile() ? stats.size : -1]]);
    const inner = await readdir(path);
    if (inner.length === 0) return undefined;
    const sizes = new Map<string, number>();
    for (const each of inner) {
      const found = await lstat(join(path, each));
      sizes.set(each, found.isFile() ? found.size : -1);
    }
    return sizes;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The folder itself, else the nearest one above it that is there. */
async function nearest(path: string): Promise<string> {
  for (let each = resolve(path); ; each = dirname(each)) {
    const there = await stat(each).then(
      () => true,
      () => false,
    );
    if (there || each === dirname(each)) return each;
  }
}
