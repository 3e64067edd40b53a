import { AixclError, reasonOf } from '../errors.ts';
import type { ContainerSummary } from './engine.ts';
import { holdsPorts } from './observe.ts';

/** A port that the engine thinks it gave to a container, where none has it (20.10 loses one in a restart); it keeps it until it ends. */
export class LostPort extends AixclError {
  constructor(port: number, cause: unknown) {
    super('unexpected', `${reasonOf(cause)}: the engine keeps port ${port} for a container that is gone`, {
      hint: 'Restart the engine (sudo systemctl restart docker), then: aixcl stack start',
      cause,
    });
  }
}

/** A failed start, as `LostPort` where it is one: nothing among these containers, all there are, has the port or may be about to get it. */
export function withLostPort(error: unknown, containers: readonly ContainerSummary[]): unknown {
  const port = allocatedPort(error);
  if (port === undefined) return error;
  const held = containers.some(
    (container) =>
      container.state === 'restarting' ||
      (holdsPorts(container) && container.ports.some(({ published }) => published === port)),
  );
  return held ? error : new LostPort(port, error);
}

/** The port that an engine says it gave away already. */
export function allocatedPort(error: unknown): number | undefined {
  const port = /Bind for \S*:(\d+) failed: port is already allocated/.exec(reasonOf(error))?.[1];
  return port === undefined ? undefined : Number(port);
}
