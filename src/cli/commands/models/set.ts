import type { Arguments } from 'yargs';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { projectorPath } from '../../../adapters/models-directory/projector.ts';
import { AixclError } from '../../../errors.ts';
import { activeModel } from '../../../models/active-model.ts';
import { findModel } from '../../../models/find-model.ts';
import type { Model } from '../../../models/model.ts';
import { type ArgumentChange, changeArguments } from '../../../models/server-arguments.ts';
import { journalled } from '../../../wiring/journalled.ts';
import type { Context } from '../../context.ts';
import { activateShown } from './activate.ts';
import { serverRunning } from './server.ts';

const command = 'models set';

/** `models set NAME`. An active model is tried with its new arguments at once; llama-server goes back to the old ones on failure. */
export async function set(context: Context, argv: Arguments): Promise<void> {
  const directory = modelsDirectoryAt(context.home.models);
  const model = await findModel(directory, String(argv.name));
  const stored = await directory.readArguments(model.name);
  const change = await changeOf(context, model, argv);
  if (!change) {
    context.out.item(
      'arguments',
      { name: model.name, arguments: stored },
      () => stored.join('\n') || `${model.name} has no arguments of its own`,
    );
    return;
  }
  const next = changeArguments(stored, change);
  const same = next.length === stored.length && next.every((argument, index) => argument === stored[index]);
  const shown = next.length > 0 ? next.join(' ') : 'no arguments of its own';
  const report = (outcome: 'done' | 'kept' | 'planned', because: string) =>
    context.out.result(
      {
        command,
        changed: outcome === 'done',
        steps: [{ kind: 'set', target: model.name, outcome, because }],
      },
      `${model.name}: ${shown} (${because})`,
    );
  if (same) return report('kept', 'nothing changed');
  if (context.flags.dryRun) return report('planned', 'asked for');

  const active = activeModel(await directory.activation()) === model.name;
  // Asked before anything is written: without an engine nobody could say what became of it.
  if (active) await serverRunning(context);
  const outcome = await journalled(context, { command, targets: [model.name] }, async ({ operation }) => {
    await operation.step('set', model.name, shown);
    await directory.writeArguments(model.name, next);
    if (!active) return 'stored';
    return await activateShown(context, directory, model, { again: true, note: operation.step });
  }).catch((error: unknown) => {
    if (error instanceof AixclError && error.code === 'unhealthy') {
      context.out.note(
        `${model.name} keeps the arguments that it had: ${stored.join(' ') || 'none of its own'}`,
      );
    }
    throw error;
  });
  if (outcome === 'stored') return report('done', 'used when it is activated');
  report('done', outcome === 'applied' ? 'llama-server serves it so' : 'proven when llama-server starts');
}

/** What the flags ask for; undefined when they ask for nothing. */
async function changeOf(
  context: Context,
  model: Model,
  argv: Arguments,
): Promise<ArgumentChange | undefined> {
  const rest = Array.isArray(argv['--']) ? argv['--'].map(String) : [];
  const mmproj = argv.mmproj === undefined ? undefined : String(argv.mmproj);
  const embedding = typeof argv.embedding === 'boolean' ? argv.embedding : undefined;
  const ctxSize = wholeNumber(argv.ctxSize, '--ctx-size');
  const gpuLayers = wholeNumber(argv.gpuLayers, '--gpu-layers');
  const asked = [mmproj, embedding, ctxSize, gpuLayers].some((each) => each !== undefined);
  if (!asked && rest.length === 0 && argv.clear !== true) return undefined;
  return {
    clear: argv.clear === true,
    ctxSize,
    gpuLayers,
    mmproj: mmproj === undefined ? undefined : await projectorPath(context.home.models, model.name, mmproj),
    embedding,
    rest,
  };
}

function wholeNumber(value: unknown, option: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new AixclError('usage', `${option} takes a whole number`, { hint: 'aixcl models set --help' });
}
