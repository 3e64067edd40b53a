import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { BringOptions, Collection, Order, OrderedFile, WorkOptions } from '../../models/intake.ts';
import { quoted } from '../../models/model-name.ts';
import { claim } from '../claim.ts';
import { canResume, download } from '../download/download.ts';
import { give, makeDirectory, type Ownership, ownershipOf, replaceFile, syncDirectory } from '../durable.ts';
import { copyInto } from './copy.ts';
import { onDisk } from './disk-errors.ts';
import { checkStructure, placeOf, recordAll } from './landed.ts';
import { publishFile, publishFolder } from './publish.ts';
import { hashFile } from './records.ts';

/**
 * `.aixcl/incoming/KEY/files/NAME` holds the bytes as they come, `.aixcl/incoming/KEY/NUMBER.from` what they are the beginning of.
 * The key is that of name and sources, so that the same command finds what an earlier run of it left.
 */
export function collectionPath(directory: string, order: Order): string {
  const key = createHash('sha256')
    .update(JSON.stringify([order.name, order.files.map(originOf)]))
    .digest('hex');
  return join(directory, '.aixcl', 'incoming', key.slice(0, 24));
}

/** Bytes that an earlier run left for `order`, by the files' sizes alone. */
export async function heldBytes(directory: string, order: Order): Promise<number> {
  let held = 0;
  for (const file of order.files) {
    if (file.location.kind !== 'http') continue;
    const path = join(collectionPath(directory, order), 'files', file.name);
    held += await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
  }
  return held;
}

export async function openCollection(directory: string, order: Order): Promise<Collection> {
  const root = collectionPath(directory, order);
  const files = join(root, 'files');
  const claimed = await claim(root, { what: 'the same model', holder: 'models add' });
  try {
    return await onDisk(directory, async () => {
      await mkdir(directory, { recursive: true });
      const owner = await ownershipOf(directory);
      await makeDirectory(files, owner);
      return collection(directory, root, order, owner, claimed);
    });
  } catch (error) {
    await claimed[Symbol.asyncDispose]();
    throw error;
  }
}

function collection(
  directory: string,
  root: string,
  order: Order,
  owner: Ownership | undefined,
  claimed: AsyncDisposable,
): Collection {
  const files = join(root, 'files');
  const pathOf = (file: OrderedFile) => join(files, file.name);
  return {
    async bring(file, options) {
      return await onDisk(directory, async () => {
        if (file.location.kind !== 'http') {
          await removeIfThere(pathOf(file));
          await copyInto(file.location.path, pathOf(file), options);
        } else {
          await fetchInto(
            pathOf(file),
            join(root, `${order.files.indexOf(file)}.from`),
            file,
            owner,
            options,
          );
        }
        return await settle(pathOf(file), file, owner, options);
      });
    },
    check: () => onDisk(directory, () => checkStructure(order, pathOf)),
    async publish(records) {
      return await onDisk(directory, async () => {
        const target = join(directory, order.name);
        const only = order.files[0]!;
        const done = order.folder
          ? await publishFolder(files, target)
          : await publishFile(pathOf(only), target);
        if (!done) return false;
        await recordAll(directory, order, records, owner);
        await rm(root, { recursive: true, force: true });
        return true;
      });
    },
    replace: (records, standing, operation) =>
      onDisk(directory, async () => {
        const { replaceModel, recordsFor } = await import('./replace.ts');
        const only = order.files[0]!;
        await replaceModel(directory, order.name, {
          operation,
          standing,
          folder: order.folder,
          moves: [{ from: order.folder ? files : pathOf(only), to: join(directory, order.name) }],
          // Fetched bytes outlive a replacement that fails.
          staged: [],
          async stage() {
            const staged = order.files.flatMap((file) => {
              const record = records.get(file.name);
              return record ? [{ place: placeOf(order, file), from: pathOf(file), record }] : [];
            });
            return { name: order.name, arguments: null, records: await recordsFor(staged) };
          },
        });
        await rm(root, { recursive: true, force: true });
      }),
    discard: () => rm(root, { recursive: true, force: true }),
    [Symbol.asyncDispose]: () => claimed[Symbol.asyncDispose](),
  };
}

/** What half a file is half of: it is gone on with only while the source still has that. */
async function fetchInto(
  path: string,
  notePath: string,
  file: OrderedFile,
  owner: Ownership | undefined,
  options: WorkOptions,
): Promise<void> {
  if (file.location.kind !== 'http') throw new Error('Only addresses are fetched');
  const note = JSON.stringify({ size: file.size, sha256: file.sha256, version: file.version });
  const earlier = await readFile(notePath, 'utf8').catch(() => undefined);
  if (earlier !== note || !canResume(file)) {
    await removeIfThere(path);
    await replaceFile(notePath, note, owner);
  }
  await using handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  await download(file.location.url, handle, file, {
    ...options,
    authorization: file.location.authorization,
  });
}

/** fsync, owner, size and sha256 of what landed. */
async function settle(
  path: string,
  file: OrderedFile,
  owner: Ownership | undefined,
  options: BringOptions,
): Promise<string> {
  await using handle = await open(path, 'r+');
  await give(handle, owner);
  await handle.sync();
  await syncDirectory(join(path, '..'));
  const { size } = await handle.stat();
  if (file.size !== null && size !== file.size) {
    await removeIfThere(path);
    throw new AixclError(
      'verification',
      `${quoted(file.name)} has ${size} bytes and should have ${file.size}`,
      {
        hint: 'Run the command again; it is fetched anew.',
      },
    );
  }
  let hashed = 0;
  const sha256 = await hashFile(handle, {
    signal: options.signal,
    onBytes: (count) => {
      hashed += count;
      options.onHash?.(hashed, size);
    },
  });
  if (file.sha256 === null || file.sha256 === sha256) return sha256;
  await removeIfThere(path);
  throw new AixclError(
    'verification',
    `${quoted(file.name)} has the sha256 ${sha256} and should have ${file.sha256}`,
    { hint: 'Check the sum that you were given; the same command fetches the file anew.' },
  );
}

function originOf(file: OrderedFile): string {
  return file.location.kind === 'http' ? file.location.url.href : file.location.path;
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}
