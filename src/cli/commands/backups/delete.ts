import { resolve } from 'node:path';
import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { meansOllamaName } from '../../../models/ollama/name.ts';
import { shellWord } from '../../../shell-word.ts';
import { isGood } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { type Subject, sameSubject } from '../../../vault/subject.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { typedName } from '../../typed-name.ts';
import { chooseBackups } from './choose.ts';

const command = 'backups delete';

/** `backups delete ID…`: for good, once the model's name was given back. `--yes` is no name. */
export async function remove(context: Context, argv: Arguments): Promise<void> {
  const ids = [argv.ids].flat().map(String);
  const contents = await readableContents(vaultOf(context));
  const { snapshots } = contents;
  const chosen = chooseBackups(contents, ids);
  const staying = snapshots.filter((each) => !chosen.includes(each));
  const lines = chosen.map((snapshot) => describe(snapshot, staying));
  if (context.flags.dryRun) {
    const steps = chosen.map(({ id }, index) => step(id, 'planned', lines[index]!));
    context.out.result({ command, changed: false, steps }, lines.join('\n'));
    return;
  }
  const given = [argv.confirm ?? []].flat().map(String);
  for (const line of lines) context.out.note(line);
  const subjects = new Map(chosen.map(({ subject }) => [JSON.stringify(subject), subject]));
  for (const subject of subjects.values()) await confirmed(context, subject, given);
  const { freed } = await withOperation(context, { command, targets: ids }, async (work) => {
    const now = await work.vault.contents();
    const still = chooseBackups(now, ids);
    for (const [index, snapshot] of chosen.entries()) {
      if (still[index]?.digest === snapshot.digest) continue;
      throw new AixclError('refused', `${snapshot.id} changed while the question was open`, {
        hint: 'aixcl backups list',
      });
    }
    for (const { id, subject } of still)
      await work.operation.step('delete', id, `${subject.name} was given back`);
    return work.writer.remove(ids, new Date());
  });
  const steps = chosen.map(({ id }, index) => step(id, 'done', lines[index]!));
  const text = [...chosen.map(({ id }) => `deleted ${id}`), `${bytes(freed)} were freed`];
  const result = { command, changed: true, steps, freed };
  context.out.result(result, text.join('\n'));
}

/** A folder may be given back by its path from here, a model of Ollama's in any spelling that Ollama takes. */
async function confirmed(
  context: Context,
  { runtime, name }: Subject,
  given: readonly string[],
): Promise<void> {
  if (given.some((text) => isNameOf({ runtime, name }, text))) return;
  if (given.length > 0) {
    throw new AixclError(
      'refused',
      `--confirm ${given.join(' ')} is not the model's name, so nothing was deleted`,
      {
        hint: `--confirm ${shellWord(name)}`,
      },
    );
  }
  await typedName(`This can't be undone. To delete it for good, type ${name}:`, name, {
    interactive: context.isTerminal,
    signal: context.signal,
  });
}

function isNameOf({ runtime, name }: Subject, text: string): boolean {
  if (text === name) return true;
  if (runtime === 'directory') return resolve(text) === name;
  return runtime === 'ollama' && meansOllamaName(text, name);
}

/** `staying`: what the vault holds afterwards. */
function describe(snapshot: Snapshot, staying: readonly Snapshot[]): string {
  const { id, subject, size, created } = snapshot;
  const { length } = staying.filter((each) => sameSubject(each.subject, subject) && isGood(each));
  const left =
    length === 0
      ? 'no good backup of it is left then'
      : length === 1
        ? 'one good backup of it is left'
        : `${length} good backups of it are left`;
  const day = created.toISOString().slice(0, 10);
  return `delete ${id}: ${shownSubject(subject)}, ${bytes(size)}, of ${day}; ${left}`;
}

function step(id: string, outcome: 'planned' | 'done', because: string) {
  return { kind: 'delete', target: id, outcome, because };
}
