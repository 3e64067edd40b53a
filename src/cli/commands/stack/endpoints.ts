import { readActivation } from '../../../adapters/models-directory/activation-files.ts';
import { activeModel } from '../../../models/active-model.ts';
import type { ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import type { Context } from '../../context.ts';

/** What a user can reach after a start: a line a service. */
export async function endpoints(
  context: Context,
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  loading: readonly string[],
): Promise<string> {
  const width = Math.max(...services.map(({ name }) => name.length));
  const activation =
    context.ownStack && definition.services.has('llama-server')
      ? await readActivation(context.home.models)
      : undefined;
  return services
    .map((service) => {
      const notes = [
        ...addresses(service),
        ...(loading.includes(service.name) ? ['still loading'] : []),
        ...(service.name === 'llama-server' && activation ? [modelWords(activeModel(activation))] : []),
      ];
      return `${service.name.padEnd(width)}  ${notes.join('  ')}`.trimEnd();
    })
    .join('\n');
}

/** URLs of the ports that a service publishes. */
export function addresses(service: ServiceDefinition): string[] {
  return service.ports.flatMap(({ hostIp, published, protocol }) => {
    if (!published || protocol !== 'tcp') return [];
    const host = !hostIp || hostIp === '0.0.0.0' || hostIp === '::' ? '127.0.0.1' : hostIp;
    return [`http://${host.includes(':') ? `[${host}]` : host}:${published}`];
  });
}

export function modelWords(model: string | undefined): string {
  return model ? `active model: ${model}` : 'waits for a model (aixcl models add FILE.gguf)';
}
