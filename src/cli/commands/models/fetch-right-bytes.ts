import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchFile } from '../../../adapters/download/fetch-file.ts';
import { Transient } from '../../../adapters/download/request.ts';
import { makeDirectory, ownershipOf } from '../../../adapters/durable.ts';
import { makeHomeFolder } from '../../../adapters/home-folder.ts';
import { hubLogin } from '../../../adapters/hub/login.ts';
import { intakeInto } from '../../../adapters/models-directory/intake.ts';
import { lastRecord } from '../../../adapters/models-directory/records.ts';
import { registries } from '../../../adapters/registry/registry-client.ts';
import { AixclError } from '../../../errors.ts';
import type { DamagedFile, KeptModel } from '../../../models/keeper.ts';
import { quoted } from '../../../models/model-name.ts';
import type { OllamaModel } from '../../../models/ollama/kept.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import { parseOllamaName } from '../../../models/ollama/name.ts';
import type { FetchedFile } from '../../../models/repair.ts';
import { shellWord } from '../../../shell-word.ts';
import { hexOf, isDigest } from '../../../vault/digest.ts';
import { ollamaOf } from '../../../wiring/ollama.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';

/** Right bytes of a damaged file from where its model came from; null when that is not known. See `RepairPorts.fetch`. */
export async function fetchRightBytes(
  context: Context,
  model: KeptModel,
  file: DamagedFile,
): Promise<FetchedFile | null> {
  try {
    return await fetchFrom(context, model, file);
  } catch (error) {
    if (!(error instanceof Transient)) throw error;
    throw new AixclError('unexpected', `${hostOf(model)} can't be reached: ${error.message}`, {
      hint: 'aixcl models verify --repair, when it can',
      cause: error,
    });
  }
}

function hostOf({ subject }: KeptModel): string {
  return subject.runtime === 'ollama' ? parseOllamaName(subject.name).host : 'where it came from';
}

async function fetchFrom(context: Context, model: KeptModel, file: DamagedFile): Promise<FetchedFile | null> {
  if (model.subject.runtime === 'ollama') {
    const kept = model as OllamaModel;
    return file.digest === null
      ? await fetchManifest(context, kept, file)
      : await fetchBlob(context, kept, file);
  }
  return await fetchAddress(context, model, file);
}

async function fetchBlob(
  context: Context,
  { stored, files }: OllamaModel,
  { path, digest }: DamagedFile,
): Promise<FetchedFile | null> {
  const size = files.find((each) => each.path === path)?.size;
  if (digest === null || !isDigest(digest) || size === undefined) return null;
  return await intoFile(context, path, hexOf(digest), size, (target, options) =>
    registries().fetchBlob(stored.name, { digest, size }, target, options),
  );
}

/** A manifest says which blobs a model is made of; one that names others than are here would be another model. */
async function fetchManifest(
  context: Context,
  { stored, subject }: OllamaModel,
  { path }: DamagedFile,
): Promise<FetchedFile | null> {
  const remote = await registries().look(stored.name, { signal: context.signal });
  if (remote.kind === 'absent') throw new AixclError('notFound', remote.why);
  if (remote.kind !== 'found') {
    throw new AixclError('unexpected', `${stored.name.host} does not give its manifest: ${remote.why}`);
  }
  const wanted = blobsOf(remote.manifest);
  const { store } = await ollamaOf(context);
  const here = await store.blobs(wanted.map(({ digest }) => digest));
  if (!wanted.every(({ digest, size }) => here.get(digest)?.size === size)) {
    throw new AixclError('verification', `${stored.name.host} has another version of ${subject.name} now`, {
      hint: `aixcl models add ${shellWord(subject.name)}`,
    });
  }
  return await intoFile(context, path, 'manifest', remote.content.length, (target) =>
    writeFile(target, remote.content, { flag: 'wx' }),
  );
}

async function fetchAddress(
  context: Context,
  model: KeptModel,
  { path, digest }: DamagedFile,
): Promise<FetchedFile | null> {
  if (digest === null || !isDigest(digest)) return null;
  const { home, env } = context;
  const folder = 'folder' in model && model.folder === true;
  const record = await lastRecord(home.models, folder ? join(model.subject.name, path) : path);
  if (!record?.source || !URL.canParse(record.source)) return null;
  const url = new URL(record.source);
  const { endpoint, authorization } = hubLogin(env);
  const login = url.origin === endpoint.origin ? authorization : undefined;
  const { size } = await intakeInto(home.models).probe(
    { kind: 'http', url, ...(login && { authorization: login }) },
    context.signal,
  );
  if (size === null) {
    throw new AixclError('unexpected', `${url.host} does not say how large ${quoted(path)} is`);
  }
  return await intoFile(context, path, hexOf(digest), size, (target, options) =>
    fetchFile(url, target, { size, sha256: hexOf(digest) }, { ...options, authorization: login }),
  );
}

/** Fetches to a name that the next repair of the same bytes would use too, so that a killed one leaves no second file. */
async function intoFile(
  { home, signal, progress }: Context,
  shown: string,
  name: string,
  size: number,
  fetch: (
    target: string,
    options: { signal: AbortSignal; onProgress: (done: number) => void },
  ) => Promise<void>,
): Promise<FetchedFile> {
  await makeHomeFolder(home.models, home);
  const { free } = await intakeInto(home.models).space();
  if (size > free) {
    throw new AixclError(
      'noSpace',
      `${bytes(size)} are needed on the disk of ${home.models}, to fetch ${quoted(shown)}`,
      {
        hint: `df -h ${shellWord(home.models)}`,
      },
    );
  }
  const folder = join(home.models, '.aixcl', 'incoming', 'repair');
  await makeDirectory(folder, await ownershipOf(home.models));
  const path = join(folder, name);
  const remove = () => rm(path, { force: true });
  await remove();
  const task = progress.start(`Fetching ${quoted(shown)}`, size);
  try {
    await fetch(path, { signal, onProgress: (done) => task.update({ done }) });
    task.succeed();
  } catch (error) {
    task.fail();
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
