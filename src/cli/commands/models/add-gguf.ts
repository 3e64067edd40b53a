import { makeHomeFolder } from '../../../adapters/home-folder.ts';
import { heldBytes } from '../../../adapters/models-directory/collection.ts';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { intakeInto } from '../../../adapters/models-directory/intake.ts';
import { standingOf } from '../../../models/active-model.ts';
import { type AddReporter, applyAdd, observeStanding } from '../../../models/add.ts';
import type { Hub } from '../../../models/hub.ts';
import type { Intake } from '../../../models/intake.ts';
import { quoted } from '../../../models/model-name.ts';
import { observeOrder } from '../../../models/order.ts';
import { type AddStep, type ObservedOrder, planAdd } from '../../../models/plan-add.ts';
import type { Need } from '../../../models/room.ts';
import type { Source } from '../../../models/source.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { replaceSaved } from '../../../wiring/models/save-first.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import type { AddItem, Batch, FailedSource } from './add-batch.ts';

/** Whose work a replacement is. */
const own = { command: 'models add', otherName: 'Give the new one a name of its own: --as NAME' };

type FileSource = Exclude<Source, { kind: 'ollama' }>;

export interface FileOptions {
  readonly as?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What the sources for llama-server come down to. */
export async function planFiles(
  context: Context,
  sources: readonly FileSource[],
  options: FileOptions,
  reporter: AddReporter,
  failed: (failure: FailedSource) => void,
): Promise<Batch> {
  const { home, signal } = context;
  const intake = intakeInto(home.models);
  const activation = await modelsDirectoryAt(home.models).activation();
  const observed: ObservedOrder[] = [];
  for (const source of sources) {
    try {
      const order = await observe(context, intake, reporter, source, options);
      observed.push({ ...order, active: standingOf(order.order.name, activation) !== null });
    } catch (error) {
      failed({ source: source.text, error });
    }
  }
  const { steps, needed } = planAdd(observed);
  const items = steps.map((step): AddItem => {
    const target = 'name' in step ? step.name : step.order.name;
    return {
      kind: step.kind,
      target,
      runtime: 'llama-server',
      because: step.because,
      bytes: 'name' in step ? null : step.bytes,
      question: questionFor(step, target),
      async apply(operation) {
        if ('order' in step) await makeHomeFolder(home.models, home);
        return await applyAdd(step, intake, {
          signal,
          reporter,
          replace: async (name, swap) => {
            const keeper = await keeperOf(context, 'llama-server');
            return await replaceSaved(context, own, operation, keeper, name, (proof) =>
              swap(proof, operation.id),
            );
          },
        });
      },
    };
  });
  const coming = { place: home.models, bytes: needed, space: await intake.space() };
  return { items, needs: [coming, await savingNeed(context, intake, steps)] };
}

/** What the vault may have to copy. */
async function savingNeed(context: Context, intake: Intake, steps: readonly AddStep[]): Promise<Need> {
  const vault = vaultOf(context);
  const updates = steps.filter((step) => step.kind === 'update');
  let bytes = 0;
  if (updates.length > 0 && !(await vault.sharesDisk(context.home.models))) {
    for (const { order } of updates) {
      const sizes = [...((await intake.standing(order.name))?.values() ?? [])];
      bytes += sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
    }
  }
  return { place: vault.path, bytes, space: bytes > 0 ? await vault.space() : null };
}

function questionFor(step: AddStep, name: string): string | null {
  if (step.kind !== 'update') return null;
  return step.certain
    ? `${quoted(name)} is there with other bytes. They are saved first, and replaced.`
    : `${quoted(name)} is there, and only the bytes can tell whether they are the same. If not, those that are there are saved first, and replaced.`;
}

async function observe(
  { home, signal, env, out }: Context,
  intake: Intake,
  reporter: AddReporter,
  source: FileSource,
  options: FileOptions,
): Promise<Omit<ObservedOrder, 'active'>> {
  const hub = async (): Promise<Hub> => (await import('../../../adapters/hub/hub.ts')).hubOf(env);
  const order = await observeOrder(source, intake, { ...options, hub, signal });
  const [file] = order.files;
  if (
    source.kind === 'path' &&
    file?.location.kind === 'path' &&
    !order.folder &&
    !file.location.path.endsWith(source.text.replace(/^\.\//, ''))
  ) {
    out.note(`${source.text} leads to ${file.location.path}, which is what is copied`);
  }
  const standing = await observeStanding(order, intake, { signal, reporter });
  return { order, standing, held: await heldBytes(home.models, order) };
}
