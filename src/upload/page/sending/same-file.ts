import type { PageUpload } from '../../api.ts';
import { fingerprintOf } from './remembered.ts';

type Chosen = Pick<File, 'name' | 'size' | 'lastModified'>;

/**
 * Why `file` can't go on where `upload` stopped; null where it can. Bytes of two files in one would be found out by nobody, unless a
 * sha256 was given with it: `remembered`, the fingerprint of the file that it was begun with, or null.
 */
export function otherFile(file: Chosen, upload: PageUpload, remembered: string | null): string | null {
  const begun = remembered === null ? null : (JSON.parse(remembered) as [string, number, number]);
  const name = begun?.[0] ?? upload.file;
  if (file.name !== name) return `it is called ${file.name}, and the upload was begun with ${name}`;
  if (file.size !== upload.size) return 'it has another size than the file that the upload was begun with';
  if (begun === null) {
    return upload.sha256 === null
      ? 'another browser began this upload, and nothing here tells whether this is the same file: go on there, or clear it and begin again'
      : null;
  }
  return fingerprintOf(file) === remembered
    ? null
    : 'it was changed since the upload began: clear it and begin again';
}
