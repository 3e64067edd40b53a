import { adapterDirectory } from '../../adapters/folders/adapter-directory.ts';
import type { KeptFolder } from '../../adapters/folders/kept-folder.ts';
import { AixclError } from '../../errors.ts';
import { type AdapterFacts, inspectAdapter, inspectGgufAdapter } from '../../models/adapter.ts';
import { type Found, shownSubject } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import type { Subject } from '../../vault/subject.ts';
import { evolutionFolder } from '../../vault/version-files.ts';
import { readableContents } from '../readable-vault.ts';
import type { Surroundings } from '../surroundings.ts';
import { vaultOf } from '../vault.ts';

/** True when its bytes are not those that were added: somebody wrote over them, or the disk did. */
export async function wasWrittenOver({ keeper, model }: Found): Promise<boolean> {
  if (keeper.runtime !== 'llama-server') return false;
  const source = await keeper.open(model);
  await source[Symbol.asyncDispose]();
  return source.files.some(({ digest, proven }) => digest !== null && !proven);
}

/** What an adapter says of itself; null for any other. Throws `verification` for one that is not whole. */
export async function inspect({ home }: Surroundings, { model }: Found): Promise<AdapterFacts | null> {
  switch (model.subject.runtime) {
    case 'directory': {
      const { root, file } = model as KeptFolder;
      const directory = adapterDirectory(root, model);
      const [only] = model.files;
      return file && only ? await inspectGgufAdapter(directory, only.path) : await inspectAdapter(directory);
    }
    case 'llama-server': {
      const [only, ...more] = model.files;
      if (!only || more.length > 0 || model.subject.name !== only.path) return null;
      return await inspectGgufAdapter(adapterDirectory(home.models, model), only.path);
    }
    default:
      return null;
  }
}

/** An id names one version: of two runtimes' models with one name, the first to have versions has the name. */
export async function assertOwnName(context: Surroundings, subject: Subject): Promise<void> {
  const { snapshots } = await readableContents(vaultOf(context));
  const other = snapshots.find(
    (each) =>
      each.kind === 'version' &&
      each.subject.name === subject.name &&
      each.subject.runtime !== subject.runtime,
  );
  if (!other) return;
  throw new AixclError(
    'refused',
    `${quoted(subject.name)} of ${other.subject.runtime} has versions, which would be called the same`,
    { hint: `aixcl versions list ${shellWord(subject.name)}` },
  );
}

/** Throws `usage` where the snapshots of a run would be taken for the model's own. */
export function assertPlace({ model }: Found): void {
  if (model.subject.runtime === 'directory') return;
  const own = model.files.find(({ path }) => path.startsWith(`${evolutionFolder}/`));
  if (!own) return;
  throw new AixclError(
    'usage',
    `${quoted(model.subject.name)} has a folder ${evolutionFolder} of its own, which the version keeps`,
    { hint: 'Leave --evolution out.' },
  );
}

export function damaged({ model }: Found, why: string): AixclError {
  const { subject } = model;
  return new AixclError('verification', `${shownSubject(subject)} is damaged, and makes no version: ${why}`, {
    hint:
      subject.runtime === 'directory'
        ? `ls -la ${shellWord(subject.name)}`
        : `aixcl models verify ${shellWord(subject.name)} --repair`,
  });
}
