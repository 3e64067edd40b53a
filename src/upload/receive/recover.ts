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
  has(upload: Upload): boolean;
  /** It is whole, and has to be checked. */
  begin(upload: Upload): void;
  /** It has its name already. */
  done(upload: Upload): Promise<void>;
}

const lookAgainMs = 5000;

export interface Recovering {
  /** Every upload was added. */
  readonly listed: Promise<void>;
  /**
   * Resolves when those that were about to get their names when the earlier process was killed have them, or are uploads again; where that
   * failed, it is tried once more, and what still fails stands with each as its problem.
   */
  recovered(): Promise<void>;
}

/** Takes up what an earlier process left. */
export function recoverUploads(
  context: Surroundings,
  boot: Promise<string | null>,
  place: RecoverPlace,
): Recovering {
  const found = list(context, boot, place);
  let attempt = found.then((uploads) => recover(context, uploads, place));
  return {
    listed: found.then(() => {}),
    async recovered() {
      const before = attempt;
      if (await before) return;
      // Of several who wait for it one tries again: two at once would move the same files.
      if (attempt === before) attempt = found.then((uploads) => recover(context, uploads, place));
      await attempt;
    },
  };
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

/** False: it could not be done. */
async function recover(
  context: Surroundings,
  uploads: readonly Upload[],
  place: RecoverPlace,
): Promise<boolean> {
  const { models } = context.home;
  try {
    if (uploads.length === 0 && (await stagedFolders(models)).length === 0) return true;
    await settleNames(context);
    for (const upload of uploads) if (place.has(upload)) await recoverOne(models, upload, place);
    for (const path of await stagedFolders(models)) await rm(path, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (!context.signal.aborted) {
      context.out.warn(`uploads that were about to become models wait: ${reasonOf(error)}`);
      for (const upload of uploads) upload.refuse(problemOf(error));
    }
    return false;
  }
}

async function recoverOne(models: string, upload: Upload, place: RecoverPlace): Promise<void> {
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

/** Where files of a model waited for each other, that a killed process left. */
async function stagedFolders(models: string): Promise<string[]> {
  const names = await namesIn(uploadsFolder(models));
  return names.filter((name) => name.startsWith('staged-')).map((name) => join(uploadsFolder(models), name));
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
