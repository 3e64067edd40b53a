import { join } from 'node:path';
import { scan } from '../../../adapters/models-directory/scan.ts';
import { manifestsFolder } from '../../../adapters/ollama/store/layout.ts';
import { manifestPaths } from '../../../adapters/ollama/store/manifest-paths.ts';
import { glanceAtIndex } from '../../../adapters/vault/index-glance.ts';
import { AixclError } from '../../../errors.ts';
import type { Home } from '../../../home.ts';
import { lastBackups } from '../../../models/last-backups.ts';
import { nameFromPath, shownName } from '../../../models/ollama/name.ts';
import type { Subject } from '../../../vault/subject.ts';
import { vaultOnModelsDisk } from '../../../wiring/disks.ts';

/** What of the models lies in the vault. */
export interface Saved {
  /** ISO 8601 UTC, of the newest good snapshot of any model of Ollama's; null: none. */
  readonly ollama: string | null;
  /** Models in folders of the home that no good snapshot holds. */
  readonly neverBackedUp: readonly string[];
  /** True when one failing disk takes the models and the vault; null while there is no model. */
  readonly vaultSharesDisk: boolean | null;
}

/** By names on the disk alone; undefined where they can't be read, which `models list` tells of. */
export async function savedModels(home: Home): Promise<Saved | undefined> {
  try {
    const [ollama, { found }, snapshots] = await Promise.all([
      ollamaModels(home),
      scan(home.models),
      glanceAtIndex(home.vault),
    ]);
    const gguf = found.map(({ name }): Subject => ({ runtime: 'llama-server', name }));
    const models = [...ollama, ...gguf];
    const last = lastBackups(snapshots);
    const times = snapshots.flatMap(({ subject }) =>
      subject.runtime === 'ollama' ? (last(subject)?.toISOString() ?? []) : [],
    );
    return {
      ollama: times.sort().at(-1) ?? null,
      neverBackedUp: models.filter((subject) => last(subject) === null).map(({ name }) => name),
      vaultSharesDisk: models.length > 0 ? await vaultOnModelsDisk(home) : null,
    };
  } catch (error) {
    if (error instanceof AixclError) return undefined;
    throw error;
  }
}

async function ollamaModels({ ollama }: Home): Promise<Subject[]> {
  const paths = await manifestPaths(join(ollama, 'models', manifestsFolder));
  const names = paths.flatMap((path) => nameFromPath(path) ?? []);
  return names.map((name) => ({ runtime: 'ollama', name: shownName(name) }));
}
