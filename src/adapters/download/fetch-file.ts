import { open } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import type { WorkOptions } from '../../models/intake.ts';
import { shownUrl } from '../../models/source.ts';
import { hashFile } from '../models-directory/records.ts';
import { download } from './download.ts';
import type { RequestOptions } from './request.ts';

/** Bytes that are known before they come. */
export interface Expected {
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Fetches `url` to the new file `path`, hashed after it landed. Throws `verification` when its bytes are others than expected. */
export async function fetchFile(
  url: URL,
  path: string,
  { size, sha256 }: Expected,
  options: WorkOptions & Pick<RequestOptions, 'authorization'>,
): Promise<void> {
  await using file = await open(path, 'wx+', 0o600);
  // Some servers refuse to send a part of nothing.
  if (size > 0) await download(url, file, { size, sha256, version: null }, options);
  const found = await hashFile(file, { signal: options.signal });
  if (found === sha256) return;
  throw new AixclError('verification', `${shownUrl(url)} sends other bytes than those that are looked for`, {
    hint: 'Take them from a backup: aixcl backups list',
  });
}
