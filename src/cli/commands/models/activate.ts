import type { Arguments } from 'yargs';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { activate as activateModel, assertServable } from '../../../models/activate.ts';
import { findModel } from '../../../models/find-model.ts';
import type { Model } from '../../../models/model.ts';
import type { ModelsDirectory } from '../../../models/models-directory.ts';
import type { Note } from '../../../plan/journal.ts';
import { journalled } from '../../../wiring/journalled.ts';
import { activationPorts, activationWords } from '../../../wiring/models/activation.ts';
import type { Context } from '../../context.ts';
import { serverRunning } from './server.ts';

const command = 'models activate';

/** `models activate NAME`. */
export async function activate(context: Context, argv: Arguments): Promise<void> {
  const directory = modelsDirectoryAt(context.home.models);
  const model = await findModel(directory, String(argv.name));
  const target = model.name;
  if (context.flags.dryRun) {
    assertServable(model);
    const steps = [{ kind: 'activate', target, outcome: 'planned' as const, because: 'asked for' }];
    context.out.result({ command, changed: false, steps }, `would activate ${target}`);
    return;
  }
  const outcome = await journalled(context, { command, targets: [target] }, ({ operation: { step: note } }) =>
    activateShown(context, directory, model, { again: false, note }),
  );
  const changed = outcome !== 'unchanged';
  const because = activationWords[outcome];
  const steps = [
    { kind: 'activate', target, outcome: changed ? ('done' as const) : ('kept' as const), because },
  ];
  const next = outcome === 'recorded' ? '\nnext: aixcl stack start' : '';
  context.out.result({ command, changed, steps }, `${target}: ${because}${next}`);
}

/** Activates with its course on stderr. `again`: also when it is active, as its arguments changed. `note`: told before it is asked for. */
export async function activateShown(
  context: Context,
  directory: ModelsDirectory,
  model: Model,
  options: { readonly again: boolean; readonly note: Note },
): ReturnType<typeof activateModel> {
  const task = context.progress.start(`Activating ${model.name}`);
  const ports = activationPorts(context, {
    by: 'cli',
    directory,
    serverRunning: () => serverRunning(context),
    note: options.note,
  });
  try {
    const outcome = await activateModel(model, ports, {
      signal: context.signal,
      again: options.again,
      onState: (state) => task.update({ text: state.phase ?? '' }),
    });
    task.succeed(outcome === 'applied' ? 'ready' : outcome);
    return outcome;
  } catch (error) {
    task.fail('failed');
    throw error;
  }
}
