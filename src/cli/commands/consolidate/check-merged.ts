import { checkLoads } from '../../../adapters/consolidation/load-check.ts';
import { AixclError } from '../../../errors.ts';
import type { Operation } from '../../../plan/journal.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateSight } from './observe.ts';

/** Loads the merged model in a llama-server and has it answer. Throws `unhealthy` with its last lines. Holds no lock. */
export async function checkMerged(
  context: Context,
  { wish, base, server }: ConsolidateSight,
  { path, operation }: { readonly path: string; readonly operation: Operation },
): Promise<void> {
  if (!server) throw new AixclError('unexpected', 'the image of llama-server was not looked at');
  await operation.step('check', wish.output, `it has to load and answer in ${server.image}`);
  const task = context.progress.start(`Loading ${wish.output} in llama-server`);
  try {
    await checkLoads(await context.engine(), {
      home: context.home.root,
      operation: operation.id,
      signal: context.signal,
      image: server.image,
      user: server.user,
      path,
      name: wish.output,
      embeds: base.embeds,
    });
    task.succeed('it answers');
  } catch (error) {
    task.fail();
    throw error;
  }
}
