import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Subject } from '../../vault/subject.ts';
import { give, makeDirectory, type Ownership, syncDirectory } from '../durable.ts';

/** Numbers of one kind: of all backups, or of one model's versions. `numbers/<folder>/<letter><number>` is claimed for ever. */
export interface Series {
  readonly folder: string;
  readonly letter: 'b' | 'v';
  readonly digits: number;
}

export const backups: Series = { folder: 'backups', letter: 'b', digits: 4 };

export function versionsOf({ runtime, name }: Subject): Series {
  const hash = createHash('sha256').update(`${runtime}\0${name}`).digest('hex');
  return { folder: join('versions', hash), letter: 'v', digits: 3 };
}

export function spelled({ letter, digits }: Series, number: number): string {
  return `${letter}${String(number).padStart(digits, '0')}`;
}

/** The number in the id of a snapshot: 12 of `b0012`, 3 of `MODEL@v003`; undefined for what is no id. */
export function numberOf(id: string, kind: 'backup' | 'version'): number | undefined {
  const pattern = kind === 'backup' ? /^b(\d{4,})$/ : /@v(\d{3,})$/;
  const [, digits] = pattern.exec(id) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export interface Claim {
  /** Numbers that the index knows of this series. */
  readonly taken: ReadonlySet<number>;
  /** To be had if it was never used. */
  readonly wish?: number | undefined;
  readonly operation: string;
  readonly owner: Ownership | undefined;
}

/** Claims the wished or the next number of a series, by making a file that was not there. Durable when it answers. */
export async function claimNumber(numbers: string, series: Series, claim: Claim): Promise<number> {
  const folder = join(numbers, series.folder);
  await makeDirectory(folder, claim.owner);
  const wished = claim.wish !== undefined && !claim.taken.has(claim.wish) ? claim.wish : undefined;
  if (wished !== undefined && (await make(join(folder, spelled(series, wished)), claim))) {
    await syncDirectory(folder);
    return wished;
  }
  const claimed = (await readdir(folder)).map((name) => Number(name.slice(1))).filter(Number.isSafeInteger);
  for (let number = Math.max(0, ...claim.taken, ...claimed) + 1; number < 1e9; number += 1) {
    if (await make(join(folder, spelled(series, number)), claim)) {
      await syncDirectory(folder);
      return number;
    }
  }
  throw new AixclError('unexpected', `${folder} holds a number beyond all reason`, {
    hint: `ls ${shellWord(folder)}`,
  });
}

/** The operation that a number was claimed for; undefined for one that nobody claimed. */
export async function claimantOf(
  numbers: string,
  series: Series,
  number: number,
): Promise<string | undefined> {
  try {
    return (await readFile(join(numbers, series.folder, spelled(series, number)), 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function make(path: string, { operation, owner }: Claim): Promise<boolean> {
  try {
    await using handle = await open(path, 'wx', 0o444);
    await give(handle, owner);
    await handle.writeFile(`${operation}\n`);
    await handle.sync();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}
