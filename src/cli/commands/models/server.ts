import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { matches } from '../../../stack/recreate/container-ref.ts';
import type { Context } from '../../context.ts';

const service = 'llama-server';

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
