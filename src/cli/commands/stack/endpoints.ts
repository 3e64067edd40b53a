import { readActivation } from '../../../adapters/models-directory/activation-files.ts';
import { reasonOf } from '../../../errors.ts';
import { activeModel } from '../../../models/active-model.ts';
import type { PortDefinition, ServiceDefinition, StackDefinition } from '../../../stack/definition/types.ts';
import type { PublishedPort } from '../../../stack/engine.ts';
import type { Context } from '../../context.ts';
import { opened, pageService } from '../ui/opened.ts';

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
  const page = await pageAddress(context, services);
  return services
    .map((service) => {
      const notes = [
        ...(service.name === pageService && page ? [page] : addresses(service.ports)),
        ...(loading.includes(service.name) ? ['still loading'] : []),
        ...(service.name === 'llama-server' && activation ? [modelWords(activeModel(activation))] : []),
      ];
      return `${service.name.padEnd(width)}  ${notes.join('  ')}`.trimEnd();
    })
    .join('\n');
}

/** With a fresh token; undefined where it publishes nothing or none can be made. */
async function pageAddress(
  context: Context,
  services: readonly ServiceDefinition[],
): Promise<string | undefined> {
  const [address] = addresses(services.find(({ name }) => name === pageService)?.ports ?? []);
  if (!context.ownStack || context.flags.format === 'json' || address === undefined) return undefined;
  try {
    return (await opened(context, address)).url;
  } catch (error) {
    context.out.warn(`no token for the page could be made: ${reasonOf(error)}`);
    return undefined;
  }
}

/** URLs of the ports that a service publishes. */
export function addresses(ports: readonly (PortDefinition | PublishedPort)[]): string[] {
  return ports.flatMap(({ hostIp, published, protocol }) => {
    if (!published || protocol !== 'tcp') return [];
    const host = !hostIp || hostIp === '0.0.0.0' || hostIp === '::' ? '127.0.0.1' : hostIp;
    return [`http://${host.includes(':') ? `[${host}]` : host}:${published}`];
  });
}

function modelWords(model: string | undefined): string {
  return model ? `active model: ${model}` : 'waits for a model (aixcl models add FILE.gguf)';
}
