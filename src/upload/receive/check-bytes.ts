import { stat } from 'node:fs/promises';
import { inspectFile } from '../../adapters/models-directory/inspect-file.ts';
import type { HashedFile } from '../../adapters/models-directory/upload-folder.ts';
import { identityOf, unchanged } from '../../adapters/vault/file-identity.ts';
import { hashFile } from '../../adapters/vault/hashing.ts';
import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import { hexOf } from '../../vault/digest.ts';
import type { Upload } from './upload.ts';

const uploadAgain = 'Clear it and upload the file again.';

/**
 * Brings the bytes of a whole upload to the disk and looks at what landed: length, structure, sha256, in this order, so that what is no model
 * is told at once. Throws `verification` where they are not right.
 */
export async function checkBytes(upload: Upload, signal: AbortSignal): Promise<HashedFile> {
  const { about, folder } = upload;
  await upload.sync();
  const { size } = await stat(folder.bytes);
  if (size !== about.size) {
    throw new AixclError(
      'verification',
      `${quoted(about.file)} has ${size} bytes and should have ${about.size}`,
      {
        hint: uploadAgain,
      },
    );
  }
  await inspectFile(folder.bytes, about.file, { thorough: true });
  const hashed = await hashOnce(upload, signal);
  if (about.sha256 !== null && about.sha256 !== hashed.sha256) {
    throw new AixclError(
      'verification',
      `${quoted(about.file)} has the sha256 ${hashed.sha256} and should have ${about.sha256}`,
      { hint: `Check the sum that you were given. ${uploadAgain}` },
    );
  }
  return hashed;
}

/** What was hashed before is not hashed again while it is the same file, unwritten. */
async function hashOnce(upload: Upload, signal: AbortSignal): Promise<HashedFile> {
  const { bytes } = upload.folder;
  const before = upload.hashed;
  if (before && unchanged(before.identity, identityOf(await stat(bytes, { bigint: true })))) return before;
  const { digest, identity } = await hashFile(bytes, {
    signal,
    onProgress: (done) => {
      upload.checked = done;
    },
  });
  const hashed = { sha256: hexOf(digest), identity };
  await upload.note({ hashed });
  return hashed;
}
