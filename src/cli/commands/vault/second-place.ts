import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { AixclError, systemCode } from '../../../errors.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Vault } from '../../../vault/vault.ts';
import { onSameDisk } from '../../../wiring/disks.ts';
import type { Context } from '../../context.ts';

export interface Place {
  /** Absolute, without links. */
  readonly path: string;
  readonly holds: 'a vault' | 'nothing' | 'other things';
  /** On the disk of this vault, so that both go at once. */
  readonly sameDisk: boolean;
}

/** Where a second vault is, or would be. Throws `refused` for a place inside of this one, or around it. */
export async function observePlace(here: Vault, folder: string): Promise<Place> {
  const path = await withoutLinks(resolve(folder));
  const own = await withoutLinks(here.path);
  if (isInside(path, own) || isInside(own, path)) {
    throw new AixclError('refused', `${path} and the vault ${own} lie in each other`, {
      hint: 'Give a folder on another disk: aixcl vault sync /mnt/DISK/aixcl-vault',
    });
  }
  const [names, sameDisk] = await Promise.all([namesIn(path), onSameDisk(path, own)]);
  const holds = names.includes('oci-layout') ? 'a vault' : names.every(isPart) ? 'nothing' : 'other things';
  return { path, holds, sameDisk };
}

/**
 * Asks before a vault is made where none is: an unmounted disk looks just so. Where this vault's snapshots say that they lie there too, it is
 * refused, unless the user says that it is to begin anew.
 */
export async function consentToPlace(
  context: Context,
  { path, holds, sameDisk }: Place,
  own: readonly Snapshot[],
  anew: boolean,
): Promise<void> {
  if (sameDisk) context.out.warn(`${path} is on the disk of this vault: when that fails, both are gone`);
  if (holds === 'a vault') return;
  if (holds === 'other things') {
    throw new AixclError('refused', `${path} holds other things than a vault`, {
      hint: `Give a folder of its own: aixcl vault sync ${shellWord(join(path, 'aixcl-vault'))}`,
    });
  }
  if (own.some(({ places }) => places.includes(path)) && !anew) {
    throw new AixclError(
      'refused',
      `${path} held a vault before, and holds nothing now: is its disk there?`,
      {
        hint: `findmnt -T ${path}   (--new begins anew)`,
      },
    );
  }
  if (context.flags.dryRun)
    return context.out.note(`${path} holds no vault yet. It would be asked whether to make one.`);
  await context.confirm(`${path} holds no vault yet. Make one there?`);
}

/** Of a vault that a killed command had begun to make: what says that it is one comes last. */
function isPart(name: string): boolean {
  return /^(index\.json|blobs|ingest|quarantine|receipts|numbers|lock|\.tmp-.*)$/.test(name);
}

function isInside(path: string, folder: string): boolean {
  return `${path}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** Of what is not there yet, as far as it is. */
async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return join(await withoutLinks(dirname(path)), basename(path));
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => name !== 'lost+found');
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
        return [];
      case 'ENOTDIR':
        throw new AixclError('refused', `${path} is a file`, { hint: 'Give a folder.' });
      default:
        throw error;
    }
  }
}
