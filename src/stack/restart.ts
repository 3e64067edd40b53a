import { AixclError } from '../errors.ts';
import type { Note } from '../plan/journal.ts';
import type { StepOutcome } from '../plan/step.ts';
import { isOurs, matches, splitLeftovers } from './container-ref.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { ContainerSummary, Engine } from './engine.ts';
import { theOne } from './mend.ts';
import { identityOf } from './observe.ts';
import { awaitReady } from './readiness.ts';

export interface RestartStep {
  readonly kind: 'restart' | 'rename' | 'remove-leftover';
  readonly container: ContainerSummary;
  /** Name to give. */
  readonly to?: string;
  readonly because: string;
}

/**
 * Restarts those named, else every container of the stack. What an interrupted recreate left is mended on the way: a container under a
 * prefixed name gets its own back, where that is free, and a replacement that never ran goes.
 */
export function planRestart(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  containers: readonly ContainerSummary[],
  named: readonly string[],
): RestartStep[] {
  const steps = services.flatMap((service): RestartStep[] => {
    const match = theOne(identityOf(definition, service), containers);
    const wanted = named.includes(service.name);
    if (!match && wanted) {
      throw new AixclError('notFound', `${service.name} has no container to restart`, {
        hint: `aixcl service start ${service.name}`,
      });
    }
    if (!match || (!wanted && !isOurs(match))) return [];
    const { container } = match;
    const { leftovers } = splitLeftovers(matches(identityOf(definition, service), containers));
    const removals = leftovers.map(
      (leftover): RestartStep => ({
        kind: 'remove-leftover',
        container: leftover.container,
        because: 'an interrupted recreate left it behind; it never ran',
      }),
    );
    const free = !containers.some(({ name }) => name === service.containerName);
    const rename: RestartStep[] = free
      ? [
          {
            kind: 'rename',
            container,
            to: service.containerName,
            because: 'an interrupted recreate left it under another name',
          },
        ]
      : [];
    return [...removals, ...rename, { kind: 'restart', container, because: 'it was asked for' }];
  });
  if (steps.length === 0) {
    throw new AixclError('notFound', 'the stack has no containers to restart', { hint: 'aixcl stack start' });
  }
  return steps;
}

export interface RestartHands {
  readonly timeout: number | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Called before each change. */
  readonly note: Note;
  readonly progress: {
    start(label: string): { update(change: { text: string }): void; succeed(): void; fail(): void };
  };
}

/** Carries it out in order. */
export async function applyRestart(
  engine: Engine,
  plan: readonly RestartStep[],
  hands: RestartHands,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  const names = new Map<string, string>();
  for (const { kind, container, to, because } of plan) {
    const target =
      kind === 'rename' ? `${container.name} → ${to}` : (names.get(container.id) ?? container.name);
    if (hands.dryRun) {
      outcomes.push({ kind, target, outcome: 'planned', because });
      continue;
    }
    hands.signal.throwIfAborted();
    await hands.note(kind, target, because);
    if (kind === 'rename' && to) {
      await engine.renameContainer(container.id, to);
      names.set(container.id, to);
    } else if (kind === 'remove-leftover') {
      await engine.removeContainer(container.id);
    } else {
      await told(hands, `restart ${target}`, () => engine.restartContainer(container.id, hands.timeout));
    }
    outcomes.push({ kind, target, outcome: 'done', because });
  }
  return outcomes;
}

/** Waits until every container that was restarted is ready. */
export async function awaitRestarted(
  engine: Engine,
  plan: readonly RestartStep[],
  hands: Omit<RestartHands, 'dryRun' | 'timeout' | 'note'> & { readonly waitTimeoutMs: number },
): Promise<void> {
  const { signal, waitTimeoutMs: timeoutMs } = hands;
  const names = new Map(plan.flatMap(({ container, to }) => (to ? [[container.id, to] as const] : [])));
  const restarted = plan.filter(({ kind }) => kind === 'restart');
  await Promise.all(
    restarted.map(({ container }) =>
      told(hands, `wait for ${names.get(container.id) ?? container.name}`, async (update) => {
        await awaitReady(engine, container.id, { timeoutMs, signal, onDetail: update });
      }),
    ),
  );
}

async function told(
  hands: Pick<RestartHands, 'progress'>,
  label: string,
  work: (update: (text: string) => void) => Promise<void>,
): Promise<void> {
  const task = hands.progress.start(label);
  try {
    await work((text) => task.update({ text }));
  } catch (error) {
    task.fail();
    throw error;
  }
  task.succeed();
}
