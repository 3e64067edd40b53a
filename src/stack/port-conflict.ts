import { AixclError } from '../errors.ts';
import type { PortDefinition, ServiceDefinition } from './definition/types.ts';
import type { ContainerSummary } from './engine.ts';
import { holdsPorts, type Observed, type PortHolder, portKey } from './observe.ts';

/** The error to stop with when a host port that `service` publishes is held by someone else; undefined when all are free. */
export function portConflict(
  service: ServiceDefinition,
  observed: Pick<Observed, 'services' | 'containers' | 'takenPorts'>,
): AixclError | undefined {
  const own = new Set(observed.services.get(service.name)?.matches.map(({ container }) => container.id));
  for (const port of service.ports) {
    const number = Number(port.published);
    if (!Number.isInteger(number) || number <= 0) continue;
    const container = observed.containers.find(
      (other) => !own.has(other.id) && publishes(other, port, number),
    );
    if (container)
      return taken(service, number, `by the container ${container.name}`, `docker stop ${container.name}`);
    const holder = observed.takenPorts.get(portKey(port.hostIp ?? '', number));
    if (holder && /ollama/.test(holder.process ?? ''))
      return ollamaOnHost(service, number, holder.process ?? 'ollama');
    if (holder && isEngineProxy(holder)) return leftByEngine(service, number, holder.process ?? '');
    if (holder)
      return taken(
        service,
        number,
        holder.process ? `by ${holder.process}` : 'by a process of this machine',
        `ss -ltnp 'sport = :${number}'`,
      );
  }
  return undefined;
}

/** Docker's own process for a published port. */
export function isEngineProxy({ process = '' }: PortHolder): boolean {
  return process.startsWith('docker-proxy');
}

function publishes(container: ContainerSummary, port: PortDefinition, number: number): boolean {
  if (!holdsPorts(container)) return false;
  return container.ports.some(
    (other) =>
      other.published === number &&
      other.protocol === port.protocol &&
      sameAddress(other.hostIp, port.hostIp ?? ''),
  );
}

function sameAddress(a: string, b: string): boolean {
  const every = new Set(['', '0.0.0.0', '::']);
  return a === b || every.has(a) || every.has(b);
}

/** The variable of services/compose.yaml that moves a service's port. */
function variable(service: ServiceDefinition): string {
  return `${service.name.toUpperCase().replaceAll('-', '_')}_PORT`;
}

function taken(service: ServiceDefinition, port: number, by: string, look: string): AixclError {
  return new AixclError('refused', `${service.name} needs port ${port}, and it is taken ${by}`, {
    hint: `Free it (${look}), or give ${service.name} another: ${variable(service)}=${port + 1} aixcl stack start`,
  });
}

function ollamaOnHost(service: ServiceDefinition, port: number, process: string): AixclError {
  return new AixclError(
    'refused',
    `an Ollama runs on this machine itself (${process}) and holds port ${port}`,
    {
      hint: `Stop it, its models stay where they are (sudo systemctl disable --now ollama); or run both: ${variable(service)}=${port + 1} aixcl stack start`,
    },
  );
}

function leftByEngine(service: ServiceDefinition, port: number, process: string): AixclError {
  const pid = /pid (\d+)/.exec(process)?.[1] ?? 'PID';
  return new AixclError(
    'refused',
    `${service.name} needs port ${port}, and a killed engine left ${process} on it`,
    {
      hint: `Restart the engine (sudo systemctl restart docker), or end that process: sudo kill ${pid}`,
    },
  );
}
