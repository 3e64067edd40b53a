import { askSources, type Origin, type SourceState } from '../models/sources.ts';
import type { Surroundings } from './surroundings.ts';

/** Asks where models came from whether they can be had again; in the order of `origins`. `deadline`: milliseconds for all together. */
export async function sourcesOf(
  { env, signal }: Surroundings,
  origins: readonly Origin[],
  deadline: number,
): Promise<SourceState[]> {
  // Nothing that speaks to a network is loaded for nothing.
  if (origins.every(({ kind }) => kind === 'nowhere')) return origins.map(() => 'unique');
  const { registries } = await import('../adapters/registry/registry-client.ts');
  const { probeUrl } = await import('../adapters/download/probe.ts');
  const { hubLogin } = await import('../adapters/hub/login.ts');
  const { endpoint, authorization } = hubLogin(env);
  return await askSources(
    origins,
    {
      registry: registries(),
      probe: (url, within) =>
        probeUrl(url, {
          signal: within,
          attempts: 1,
          ...(url.origin === endpoint.origin && { authorization }),
        }),
    },
    { deadline, signal },
  );
}
