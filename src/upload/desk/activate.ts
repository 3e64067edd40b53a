import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { probeService } from '../../adapters/service-probe.ts';
import { activate, assertServable } from '../../models/activate.ts';
import { findModel } from '../../models/find-model.ts';
import type { Model } from '../../models/model.ts';
import { journalled } from '../../wiring/journalled.ts';
import { activationPorts, activationWords } from '../../wiring/models/activation.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { JobEnd, JobReport } from '../jobs.ts';

/** The model to be activated. Throws `notFound`, or why llama-server could not serve it. */
export async function servable({ home }: Surroundings, name: string): Promise<Model> {
  const model = await findModel(modelsDirectoryAt(home.models), name);
  assertServable(model);
  return model;
}

/** `models activate`, its course told as it goes. `llamaServer`: its address on the stack's network. */
export async function activateModel(
  context: Surroundings,
  model: Model,
  report: JobReport,
  llamaServer: string,
): Promise<JobEnd> {
  const { signal, home } = context;
  const wish = { command: 'models activate (page)', targets: [model.name] };
  const outcome = await journalled(context, wish, ({ operation }) => {
    const ports = activationPorts(context, {
      by: 'page',
      directory: modelsDirectoryAt(home.models),
      serverRunning: async () => (await probeService(llamaServer, '/health')).kind !== 'absent',
      note: operation.step,
    });
    report.detail('asked');
    return activate(model, ports, { signal, onState: ({ phase }) => phase && report.detail(phase) });
  });
  return { detail: activationWords[outcome] };
}
