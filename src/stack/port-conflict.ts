import { AixclError } from '../errors.ts';
import { labels } from '../labels.ts';
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
      return taken(service, port, `by the container ${container.name}`, `docker stop ${container.name}`);
    const holder = observed.takenPorts.get(portKey(port.hostIp ?? '', number));
    if (holder && /ollama/.test(holder.process ?? ''))
      return ollamaOnHost(service, port, holder.process ?? 'ollama');
    if (holder && isEngineProxy(holder)) return leftByEngine(service, number, holder);
    if (holder)
      return taken(
        service,
        port,
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

/** The variables of services/compose.yaml that move a service's port, and the container's port behind it. */
export const portVariables: ReadonlyMap<string, { readonly variable: string; readonly target: number }> =
  new Map([
    ['ollama', { variable: 'OLLAMA_PORT', target: 11434 }],
    ['llama-server', { variable: 'LLAMA_SERVER_PORT', target: 8080 }],
    ['upload-ui', { variable: 'UPLOAD_UI_PORT', target: 8081 }],
    ['open-webui', { variable: 'OPEN_WEBUI_PORT', target: 8080 }],
  ]);

/** How the service gets another port instead of this one; undefined where no variable moves it. */
function moved({ name, ports, labels: own }: ServiceDefinition, port: PortDefinition): string | undefined {
  const known = own.has(labels.home) ? portVariables.get(name) : undefined;
  if (!known || ports.find(({ target }) => target === known.target) !== port) return undefined;
  return `${known.variable}=${Number(port.published) + 1} aixcl stack start`;
}

function taken(service: ServiceDefinition, port: PortDefinition, by: string, look: string): AixclError {
  const command = moved(service, port);
  return new AixclError('refused', `${service.name} needs port ${port.published}, and it is taken ${by}`, {
    hint: `Free it (${look}), or give ${service.name} another${command ? `: ${command}` : ', in its Compose file under ports'}`,
  });
}

function ollamaOnHost(service: ServiceDefinition, port: PortDefinition, process: string): AixclError {
  const command = moved(service, port);
  return new AixclError(
    'refused',
    `an Ollama runs on this machine itself (${process}) and holds port ${port.published}`,
    {
      hint: `Stop it, its models stay where they are (sudo systemctl disable --now ollama); or run both${command ? `: ${command}` : `, ${service.name} on another port`}`,
    },
  );
}

/** An engine keeps a port that it gave away for as long as it runs, whether the process on it lives or not. */
function leftByEngine(service: ServiceDefinition, port: number, holder: PortHolder): AixclError {
  const { process = '' } = holder;
  if (!hasLostEngine(holder)) {
    return new AixclError(
      'refused',
      `${service.name} needs port ${port}, and the engine itself holds it (${process}) for no container that runs`,
      { hint: 'Restart the engine: sudo systemctl restart docker' },
    );
  }
  const pid = /pid (\d+)/.exec(process)?.[1] ?? 'PID';
  return new AixclError(
    'refused',
    `${service.name} needs port ${port}, and a killed engine left ${process} on it`,
    {
      hint: `Restart the engine (sudo systemctl restart docker), or end that process: sudo kill ${pid}`,
    },
  );
}

/** In a container, process 1 may be the engine itself. */
function hasLostEngine({ parent }: PortHolder): boolean {
  return parent?.pid === 1 && parent.name !== 'dockerd';
}
