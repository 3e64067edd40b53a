import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { settleReceived } from '../../adapters/models-directory/received.ts';
import {
  freshState,
  Unreadable,
  type UploadFolder,
  uploadFolders,
  uploadsFolder,
} from '../../adapters/models-directory/upload-folder.ts';
import { namesIn } from '../../adapters/names-in.ts';
import { AixclError, reasonOf } from '../../errors.ts';
import type { ModelName } from '../../models/model-name.ts';
import { settleFirst } from '../../wiring/operation.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { problemOf } from '../problem.ts';
import { pageAdd } from './publish.ts';
import { Upload } from './upload.ts';

interface RecoverPlace {
  add(upload: Upload): void;
  /** It is whole, and has to be checked. */
  begin(upload: Upload): void;
  /** It has its name already. */
  done(upload: Upload): Promise<void>;
}

const lookAgainMs = 5000;

/**
 * Takes up what an earlier process left. `listed`: every upload was added. `recovered`: those that were about to get their names when it was
 * killed have them, or are uploads again.
 */
export function recoverUploads(
  context: Surroundings,
  boot: Promise<string | null>,
  place: RecoverPlace,
): { readonly listed: Promise<void>; readonly recovered: Promise<void> } {
  const found = list(context, boot, place);
  const recovered = found.then(async (uploads) => {
    if (uploads.length > 0) await recover(context, uploads, place);
  });
  // Whoever asks for it is told; nobody may.
  recovered.catch((error) => context.out.warn(reasonOf(error)));
  return { listed: found.then(() => {}), recovered };
}

/** Answers the uploads that had been checked: their bytes may be on their way to a name. */
async function list(
  { home, out }: Surroundings,
  boot: Promise<string | null>,
  place: RecoverPlace,
): Promise<Upload[]> {
  const checked: Upload[] = [];
  const known = await boot;
  for (const folder of await uploadFolders(home.models)) {
    try {
      const found = await folder.look();
      if (!found) {
        await folder.clear();
        continue;
      }
      const upload = new Upload(folder, found, known);
      if (upload.hashed) {
        checked.push(upload);
        upload.received = upload.about.size;
        if (upload.phase === 'receiving') upload.phase = 'checking';
      } else await upload.trustOnlySynced();
      place.add(upload);
      if (upload.whole && upload.phase === 'receiving') place.begin(upload);
    } catch (error) {
      if (error instanceof Unreadable) place.add(unreadable(folder, error));
      else out.warn(`an upload in ${folder.path} can't be taken up: ${reasonOf(error)}`);
    }
  }
  return checked;
}

async function recover(
  context: Surroundings,
  uploads: readonly Upload[],
  place: RecoverPlace,
): Promise<void> {
  const { models } = context.home;
  await settleNames(context);
  for (const upload of uploads) {
    const { about, folder, hashed } = upload;
    const where = await settleReceived(models, {
      model: about.model,
      folder: about.parts !== null,
      file: about.file,
      path: folder.bytes,
      hashed,
    });
    if (where === 'published') await place.done(upload);
    else if (where === 'gone') await upload.startOver();
    else if (upload.phase === 'checking') place.begin(upload);
  }
  const left = (await namesIn(uploadsFolder(models))).filter((name) => name.startsWith('staged-'));
  for (const name of left) await rm(join(uploadsFolder(models), name), { recursive: true, force: true });
}

/** A change of names that is half done may have these very bytes in hand, so it comes first; whoever holds the vault is waited for. */
async function settleNames(context: Surroundings): Promise<void> {
  for (;;) {
    try {
      return await settleFirst(context, pageAdd);
    } catch (error) {
      if (!(error instanceof AixclError) || error.code !== 'busy') throw error;
      await delay(lookAgainMs, undefined, { signal: context.signal });
    }
  }
}

/** Shown, so that it can be cleared. */
function unreadable(folder: UploadFolder, error: Unreadable): Upload {
  const problem = problemOf(
    new AixclError('unexpected', `What was kept of it can't be read: ${error.message}`, {
      hint: 'Clear it and upload the file again.',
    }),
  );
  const name = folder.id as ModelName;
  const created = new Date(0).toISOString();
  const about = { file: name, model: name, parts: null, sha256: null, agreed: false, size: 0, created };
  return new Upload(
    folder,
    { about, state: { ...freshState(false, null), problem }, received: 0, touched: 0 },
    null,
  );
}
