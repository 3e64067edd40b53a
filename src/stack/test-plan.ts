import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { observe } from './observe.ts';
import { planFetches } from './plan-images.ts';
import { planStart } from './plan-start.ts';
import { describe } from './start-report.ts';
import type { StartStep, StartWish } from './start-step.ts';
import { type EngineWorld, TestEngine } from './test-engine.ts';
import { containerId, type HostWorld, home, hostOf } from './test-stack.ts';

export const plainWish: StartWish = {
  pull: 'missing',
  build: false,
  adopt: false,
  wait: true,
  unready: new Set(),
  home,
  seen: new Map(),
  isHomeFolder: (path) => path.startsWith(`${home}/`),
  isLocallyBuilt: (reference) => reference.startsWith('local/'),
};

export interface PlanWorld extends EngineWorld, HostWorld {
  /** The services to start; absent: all. */
  readonly services?: readonly ServiceDefinition[];
  readonly wish?: Partial<StartWish>;
}

/** Observes that world and plans. Unless it says otherwise, the images and the network of the services are there. */
export async function plan(definition: StackDefinition, world: PlanWorld = {}): Promise<StartStep[]> {
  const services = world.services ?? [...definition.services.values()];
  const engine = new TestEngine({
    images: services.map(({ image }) => image),
    networks: [...definition.networks.values()].map(({ name }) => name),
    ...world,
  });
  const observed = await observe(engine, hostOf(world), definition, services);
  const wish = { ...plainWish, ...world.wish };
  return [...planFetches(observed, services, wish), ...planStart(definition, observed, services, wish)];
}

/** The same as text, one `kind target: because` a line. */
export async function planned(definition: StackDefinition, world: PlanWorld = {}): Promise<string> {
  const steps = await plan(definition, world);
  return steps
    .map((step) => {
      const { kind, target, because } = describe(step);
      return `${kind} ${target}: ${because}`;
    })
    .join('\n');
}

/** Id of a container that is replaced. */
export const replacedId = containerId('a5559cc38d9d');

/** The plan of a service `ollama` whose container of that id is replaced. */
export function replacedOllama(because: string): string {
  return `replace ollama: ${because}
start ollama: it was just made
wait ollama: its health decides
remove-replaced ollama.aside-a5559cc38d9d: it is kept under this name, stopped, until the new ollama is healthy`;
}

/** Code, message and hint of what `work` is refused with. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    (value) => `not refused: ${JSON.stringify(value)}`,
    (error: { code?: string; message?: string; hint?: string }) =>
      `${error.code}: ${error.message}\n${error.hint}`,
  );
}
