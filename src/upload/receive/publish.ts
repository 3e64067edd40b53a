import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { intakeInto } from '../../adapters/models-directory/intake.ts';
import { AixclError } from '../../errors.ts';
import { standingOf } from '../../models/active-model.ts';
import { applyAdd, observeStanding } from '../../models/add.ts';
import type { Order } from '../../models/intake.ts';
import { quoted } from '../../models/model-name.ts';
import { planAdd } from '../../models/plan-add.ts';
import { type Journalled, journalled } from '../../wiring/journalled.ts';
import { keeperOf } from '../../wiring/keepers.ts';
import { replaceSaved } from '../../wiring/models/save-first.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { Upload } from './upload.ts';

export const pageAdd = 'models add (page)';

/** The files of one model, all checked. */
export function orderOf(uploads: readonly Upload[]): Order {
  const { model, parts } = uploads[0]!.about;
  return {
    name: model,
    folder: parts !== null,
    files: uploads.map(({ about, folder, hashed }) => {
      if (!hashed) throw new Error(`${about.file} was not checked`);
      const { sha256, identity } = hashed;
      const location = { kind: 'received', path: folder.bytes, identity } as const;
      return { name: about.file, location, size: about.size, sha256, version: null };
    }),
  };
}

/**
 * Gives a model its name, as `models add` does. `exists`: other bytes have it, and nobody `agreed` that they are saved and replaced. `there`: the
 * same bytes have it.
 */
export async function publish(
  context: Surroundings,
  order: Order,
  { agreed }: { readonly agreed: boolean },
): Promise<'published' | 'there' | 'exists'> {
  const { home, signal } = context;
  const intake = intakeInto(home.models);
  const standing = await observeStanding(order, intake, { signal, reporter: silent });
  const activation = await modelsDirectoryAt(home.models).activation();
  const active = standingOf(order.name, activation) !== null;
  const held = order.files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const [step] = planAdd([{ order, standing, held, active }]).steps;
  if (!step) throw new Error('a plan of one order has one step');
  if (step.kind === 'keep') return 'there';
  if (step.kind === 'update' && !agreed) return 'exists';
  if (step.kind === 'refuse') throw served(order.name);
  const carryOut = ({ operation }: Pick<Journalled, 'operation'>) =>
    applyAdd(step, intake, {
      signal,
      reporter: silent,
      replace: async (name, swap) => {
        const keeper = await keeperOf(context, 'llama-server');
        const whose = { command: pageAdd, otherName: uploadOtherwise };
        return await replaceSaved(context, whose, operation, keeper, name, (proof) =>
          swap(proof, operation.id),
        );
      },
    });
  try {
    const { outcome } = await journalled(
      context,
      { command: pageAdd, targets: [order.name] },
      async (noted) => {
        await noted.operation.step(step.kind, order.name, step.because);
        return await carryOut(noted);
      },
    );
    return outcome === 'kept' ? 'there' : 'published';
  } catch (error) {
    // The name was taken since it was looked at.
    if (step.kind === 'add' && isRefusal(error) && (await intake.standing(order.name))) return 'exists';
    throw error;
  }
}

const uploadOtherwise = 'Upload it under another name.';

function served(name: string): AixclError {
  return new AixclError(
    'refused',
    `llama-server serves ${quoted(name)}, which has other bytes, so it stays`,
    { hint: 'Activate another model and check this one again, or upload it under another name.' },
  );
}

function isRefusal(error: unknown): boolean {
  return error instanceof AixclError && error.code === 'refused';
}

const silent = { begin: () => ({ update() {}, end() {} }) };
