import type { ServiceDefinition } from './definition/types.ts';

/** Services behind those that they depend on. The loader has refused cycles. */
export function inDependencyOrder(services: readonly ServiceDefinition[]): ServiceDefinition[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<ServiceDefinition>();
  const visit = (service: ServiceDefinition) => {
    for (const name of needed(service)) {
      const dependency = byName.get(name);
      if (dependency && !ordered.has(dependency)) visit(dependency);
    }
    ordered.add(service);
  };
  services.forEach(visit);
  return [...ordered];
}

/** Names of the services that have to be there before this one: those it depends on, and the one whose network it shares. */
function needed(service: ServiceDefinition): string[] {
  const shared = sharedService(service);
  return [...service.dependsOn.keys(), ...(shared ? [shared] : [])];
}

/** X of `network_mode: service:X`. */
export function sharedService({ networkMode }: Pick<ServiceDefinition, 'networkMode'>): string | undefined {
  return /^service:(.+)$/.exec(networkMode ?? '')?.[1];
}
