import { setTimeout } from 'node:timers/promises';
import { newRequestId } from '../../../adapters/models-directory/directory.ts';
import type { ActivationPorts } from '../../../models/activate.ts';
import type { ModelsDirectory } from '../../../models/models-directory.ts';
import type { Note } from '../../../plan/journal.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { matches } from '../../../stack/recreate/container-ref.ts';
import type { Context } from '../../context.ts';

const service = 'llama-server';

/** What an activation needs from the world, on this command's engine. */
export function activationPorts(context: Context, directory: ModelsDirectory, note: Note): ActivationPorts {
  return {
    by: 'cli',
    directory,
    serverRunning: () => serverRunning(context),
    note,
    newRequestId: () => newRequestId(new Date()),
    now: () => new Date(),
    async sleep(milliseconds) {
      await setTimeout(milliseconds, undefined, { signal: context.signal }).catch((error: unknown) => {
        throw context.signal.reason ?? error;
      });
    },
  };
}

/** Whether llama-server's container runs. */
export async function serverRunning(context: Context): Promise<boolean> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containers = await engine.listContainers();
  const containerName = definition.services.get(service)?.containerName ?? service;
  const found = matches({ project: definition.project, service, containerName }, containers).map(
    (match) => match.container,
  );
  refuseOtherHome(found, context.home);
  return found.some((container) => container.state === 'running' || container.state === 'restarting');
}
