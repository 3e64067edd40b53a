import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { AixclError } from '../../errors.ts';
import { standingOf } from '../../models/active-model.ts';
import { type Found, findKept } from '../../models/find-kept.ts';
import { parseModelName, quoted } from '../../models/model-name.ts';
import { observeRemoval } from '../../models/observe-remove.ts';
import { type ObservedRemoval, planRemove, type RemoveStep } from '../../models/plan-remove.ts';
import { shellWord } from '../../shell-word.ts';
import { heldUntil } from '../../vault/retention.ts';
import { keepersOf } from '../../wiring/keepers.ts';
import { proveRemoving, removeSaved, staysRefused } from '../../wiring/models/removing.ts';
import { settleFirst, vaultWithHands, withOperation } from '../../wiring/operation.ts';
import { readableContents } from '../../wiring/readable-vault.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { vaultOf } from '../../wiring/vault.ts';
import type { Removal } from '../api.ts';
import type { JobEnd } from '../jobs.ts';
import { problemOf } from '../problem.ts';

const command = 'models remove (page)';

/** What removing a GGUF model would do. Throws `notFound`, and `verification` where the vault can't be read. */
export async function observeRemove(context: Surroundings, name: string): Promise<Removal> {
  const { observed, step } = await observe(context, name);
  const { subject, files, damage } = observed;
  const refused = step.kind === 'refuse' ? problemOf(staysRefused(step)) : null;
  const takes = step.kind === 'remove' ? step.takes : { linked: 0, copied: 0, held: 0 };
  return {
    model: subject.name,
    size: files.reduce((sum, { size }) => sum + size, 0),
    files: files.map(({ path }) => path),
    takes: { linked: takes.linked, copied: takes.copied, had: takes.held },
    heldUntil: heldUntil(new Date()),
    damage,
    refused,
  };
}

/** Throws where the model stays, as the command line does. */
export async function assertRemovable(context: Surroundings, name: string): Promise<void> {
  const { step } = await observe(context, name);
  if (step.kind === 'refuse') throw staysRefused(step);
}

/** `models remove` of one GGUF model. Damage that only hashing shows was not agreed to: then it stays. */
export async function removeModel(context: Surroundings, name: string): Promise<JobEnd> {
  await settleFirst(context, command);
  const { found, observed, step } = await observe(context, name);
  if (step.kind === 'refuse') throw staysRefused(step);
  const removing = { found, step };
  const damage = await proveRemoving(context, removing);
  if (damage && observed.damage === null) throw damagedUnseen(name, damage.why);
  const how = { command, damage, evenDamaged: false, force: false };
  const snapshot = await withOperation(context, { command, targets: [name] }, (work) =>
    removeSaved(context, removing, work, how),
  );
  const { id, created } = snapshot;
  return { detail: `held as ${id} until ${heldUntil(created)} at least`, backup: id };
}

async function observe(
  context: Surroundings,
  name: string,
): Promise<{ found: Found; observed: ObservedRemoval; step: RemoveStep }> {
  await readableContents(vaultOf(context));
  const found = await findKept(await keepersOf(context, 'llama-server'), parseModelName(name));
  const activation = await modelsDirectoryAt(context.home.models).activation();
  const observed = await observeRemoval(found, vaultWithHands(context), {
    active: standingOf(found.model.subject.name, activation) !== null,
    stopped: null,
    source: null,
  });
  const [step] = planRemove([observed], { force: false });
  if (!step) throw new Error('a model that is to be removed has a step');
  return { found, observed, step };
}

function damagedUnseen(name: string, why: string): AixclError {
  const word = shellWord(name);
  return new AixclError('verification', `${quoted(name)} is damaged, so it stays: ${why}`, {
    hint: `aixcl models verify ${word} --repair, or to remove it as it is: aixcl models remove ${word}`,
  });
}
