import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { AixclError } from '../../../errors.ts';
import { standingOf } from '../../../models/active-model.ts';
import { type Found, shownSubject } from '../../../models/find-kept.ts';
import { quoted } from '../../../models/model-name.ts';
import { sameParts } from '../../../models/remove.ts';
import { saveGoing, staysAfterAll } from '../../../models/save-going.ts';
import { shellWord } from '../../../shell-word.ts';
import { checkSnapshot } from '../../../vault/check-snapshot.ts';
import { sameContent } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Work } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateSight } from './observe.ts';
import type { SavedParts } from './save-parts.ts';

/**
 * Takes the adapter away, last of all: its backup and its version are hashed once more, then all that stands there now is saved by the gate and has to
 * be what was merged. Answers the backup that `undo` goes by. `parts`: null where an earlier run merged. Under the vault's lock.
 */
export async function removeAdapter(
  { home, signal }: Context,
  { wish, adapter }: ConsolidateSight,
  parts: SavedParts | null,
  { writer, operation }: Work,
): Promise<Snapshot> {
  const { found } = adapter.planned;
  const { name, runtime } = found.model.subject;
  const stays = (why: string, hint: string) =>
    new AixclError('verification', `${shownSubject(found.model.subject)} stays: ${why}`, { hint });
  if (runtime === 'llama-server') {
    const activation = await modelsDirectoryAt(home.models).activation();
    if (standingOf(name, activation) !== null)
      throw stays('llama-server serves it', 'aixcl models activate ANOTHER');
  }
  const now = new Date();
  for (const snapshot of parts ? [parts.backups[1], parts.adapterVersion] : []) {
    await operation.step('verify', snapshot.id, 'before the adapter goes');
    const wrong = await checkSnapshot(snapshot, writer, { signal, now });
    if (wrong !== null) {
      throw stays(
        `${snapshot.id} is damaged in the vault: ${wrong}`,
        'aixcl vault verify --repair; then the same command again',
      );
    }
  }
  const standing = await again(found);
  await operation.step('save', name, 'it is about to be removed');
  const proof = await saveGoing(standing, {
    writer,
    operation: operation.id,
    created: now,
    reason: `merged into ${wish.output}, and removed by aixcl consolidate`,
    backupType: 'pre_consolidation',
    signal,
  });
  try {
    if (!proof.good) {
      const { id } = proof.snapshot;
      throw stays(`${id} is no good copy of it`, `aixcl backups verify ${id}`);
    }
    if (parts && !sameContent(proof.snapshot, parts.backups[1])) {
      throw stays('it is not what was merged any more', `aixcl versions list ${shellWord(name)}`);
    }
    await operation.step('remove', name, `saved as ${proof.snapshot.id}`);
    await standing.keeper.remove(standing.model, proof);
  } catch (error) {
    throw await staysAfterAll(standing, writer, signal, error);
  }
  return proof.snapshot;
}

/** The same, as it stands now. */
async function again({ keeper, model }: Found): Promise<Found> {
  const { name } = model.subject;
  const now = await keeper.find(name);
  if (now && sameParts(model, now)) return { keeper, model: now };
  throw new AixclError('refused', `${quoted(name)} changed since it was merged, so it stays`, {
    hint: 'aixcl versions list',
  });
}
