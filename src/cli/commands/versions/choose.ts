import { realpath } from 'node:fs/promises';
import { isPath, means } from '../../../models/named-subject.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { VaultContents } from '../../../vault/vault.ts';
import { chooseVersion, type Means, parseVersionId, versionsMeant } from '../../../vault/version-id.ts';

/** The version that a user names. Throws as `chooseVersion` does. */
export async function versionNamed(contents: VaultContents, text: string): Promise<Snapshot> {
  return chooseVersion(contents, text, await meaning(parseVersionId(text)?.model ?? text));
}

/** Versions of the model or the folder that a user names, by number. */
export async function versionsNamed(
  snapshots: readonly Snapshot[],
  model: string,
): Promise<readonly Snapshot[]> {
  return versionsMeant(snapshots, model, await meaning(model));
}

/** A folder has its versions under its path with all links followed. */
async function meaning(model: string): Promise<Means> {
  const real = isPath(model) ? await realpath(model).catch(() => undefined) : undefined;
  return (text, subject) =>
    means(text, subject) || (subject.runtime === 'directory' && subject.name === real);
}
