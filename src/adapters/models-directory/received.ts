import { createHash } from 'node:crypto';
import { lstat, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Collection, Order, OrderedFile } from '../../models/intake.ts';
import { quoted } from '../../models/model-name.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import { makeDirectory, ownershipOf, syncDirectory } from '../durable.ts';
import { identityOf, sameContent } from '../vault/file-identity.ts';
import { onDisk } from './disk-errors.ts';
import { checkStructure, placeOf, recordAll } from './landed.ts';
import { publishFile, publishFolder } from './publish.ts';
import { readRecord, writeRecord } from './records.ts';

/** The files of a model that are in `.aixcl/uploads` already, under names that are nobody's; each has been hashed. */
export async function openReceived(directory: string, order: Order): Promise<Collection> {
  const owner = await ownershipOf(directory);
  const only = order.files[0]!;
  const staging = stagingOf(directory, order.name);
  const at = { staging: false };
  const pathOf = (file: OrderedFile) => (at.staging ? join(staging, file.name) : receivedAt(file).path);

  /** A folder gets its name with all that is in it. */
  async function stage(): Promise<void> {
    // What an upload that is there no more left there would become a part of the model.
    await rm(staging, { recursive: true, force: true });
    await makeDirectory(staging, owner);
    for (const file of order.files) await rename(receivedAt(file).path, join(staging, file.name));
    at.staging = true;
  }

  async function unstage(): Promise<void> {
    for (const file of order.files) await takeBack(directory, order.name, file.name, receivedAt(file).path);
    at.staging = false;
  }

  return {
    async bring(file) {
      const { path, identity } = receivedAt(file);
      const now = await identityAt(path);
      if (now && sameContent(now, identity) && file.sha256) return file.sha256;
      throw new AixclError('refused', `${quoted(file.name)} changed after it was checked`, {
        hint: 'Clear it and upload the file again.',
      });
    },
    check: () => onDisk(directory, () => checkStructure(order, pathOf)),
    publish: (records) =>
      onDisk(directory, async () => {
        const target = join(directory, order.name);
        if (!order.folder) {
          if (!(await publishFile(receivedAt(only).path, target))) return false;
        } else if (!(await publishStaged(target))) return false;
        await recordAll(directory, order, records, owner);
        return true;
      }),
    replace: (records, standing, operation) =>
      onDisk(directory, async () => {
        const { replaceModel, recordsFor } = await import('./replace.ts');
        try {
          await replaceModel(directory, order.name, {
            operation,
            standing,
            folder: order.folder,
            moves: [
              { from: order.folder ? staging : receivedAt(only).path, to: join(directory, order.name) },
            ],
            // Received bytes outlive a replacement that fails.
            staged: [],
            async stage() {
              if (order.folder) await stage();
              const staged = order.files.flatMap((file) => {
                const record = records.get(file.name);
                return record ? [{ place: placeOf(order, file), from: pathOf(file), record }] : [];
              });
              return { name: order.name, arguments: null, records: await recordsFor(staged) };
            },
          });
        } catch (error) {
          if (order.folder) await unstage();
          throw error;
        }
      }),
    async discard() {},
    async [Symbol.asyncDispose]() {},
  };

  async function publishStaged(target: string): Promise<boolean> {
    let done = false;
    try {
      await stage();
      done = await publishFolder(staging, target);
    } finally {
      if (!done) await unstage();
    }
    return done;
  }
}

/**
 * What became of received bytes when this process was killed while they got their name. `published`: they have it, and their record.
 * `received`: they are at `path`. `gone`: neither. Call when no change of names is unfinished.
 */
export async function settleReceived(
  directory: string,
  { model, folder, file, path, hashed }: Received,
): Promise<'published' | 'received' | 'gone'> {
  await takeBack(directory, model, file, path);
  const place = folder ? join(model, file) : model;
  const published = hashed && (await identityAt(join(directory, place)));
  if (published && sameContent(published, hashed.identity)) {
    await unlink(path).catch(unlessMissing);
    if (!(await readRecord(directory, place))) {
      const record = { sha256: hashed.sha256, source: null, version: null };
      await writeRecord(directory, place, record, await ownershipOf(directory));
    }
    return 'published';
  }
  return (await identityAt(path)) ? 'received' : 'gone';
}

export interface Received {
  readonly model: string;
  readonly folder: boolean;
  readonly file: string;
  /** Where its bytes lie until they have a name. */
  readonly path: string;
  readonly hashed: { readonly sha256: string; readonly identity: FileIdentity } | null;
}

/** One for each model, so that what a killed process left there is found by whose it is. */
function stagingOf(directory: string, model: string): string {
  const key = createHash('sha256').update(model).digest('hex').slice(0, 24);
  return join(directory, '.aixcl', 'uploads', `staged-${key}`);
}

/** Out of the folder in which the files of `model` wait for its name; nothing where it is not there. */
async function takeBack(directory: string, model: string, file: string, path: string): Promise<void> {
  const staging = stagingOf(directory, model);
  const staged = join(staging, file);
  if (!(await identityAt(staged))) return;
  await rename(staged, path);
  await syncDirectory(join(path, '..'));
  await rmdir(staging).catch(() => {});
}

function receivedAt({ location }: OrderedFile): { path: string; identity: FileIdentity } {
  if (location.kind !== 'received') throw new Error('Only what was received is moved');
  return location;
}

async function identityAt(path: string): Promise<FileIdentity | undefined> {
  try {
    return identityOf(await lstat(path, { bigint: true }));
  } catch (error) {
    return unlessMissing(error);
  }
}

function unlessMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
  throw error;
}
