import { applyStart, type StartHands, type StartOutcome } from './apply-start.ts';
import type { StackDefinition } from './definition/types.ts';
import { observe } from './observe.ts';
import { planStart } from './plan-start.ts';
import type { StartWish } from './start-step.ts';
import type { TestEngine } from './test-engine.ts';
import { plainWish } from './test-plan.ts';
import { type HostWorld, home, hostOf } from './test-stack.ts';
import { Turn } from './turn.ts';

export interface StartOptions extends HostWorld {
  readonly wish?: Partial<StartWish>;
  readonly hands?: Partial<StartHands>;
}

/** Observes, plans and carries out a start of all services, as `stack start` does. */
export async function start(
  engine: TestEngine,
  definition: StackDefinition,
  options: StartOptions = {},
): Promise<StartOutcome> {
  const services = [...definition.services.values()];
  const observed = await observe(engine, hostOf(options), definition, services);
  const plan = planStart(definition, observed, services, { ...plainWish, ...options.wish });
  return applyStart(definition, observed, services, plan, {
    engine,
    signal: new AbortController().signal,
    waitTimeoutMs: 2000,
    home,
    report: { begin() {}, detail() {}, layer() {}, end() {}, skip() {} },
    turn: new Turn(async () => ({ async [Symbol.asyncDispose]() {} })),
    onLaunched() {},
    note: async () => {},
    makeDirectory: async (path) => void engine.did.push(`make ${path}`),
    buildLocalImage: async (reference) => void engine.did.push(`make image ${reference}`),
    ...options.hands,
  });
}

/** The outcomes of these kinds, `outcome kind target` each. */
export function outcomes({ steps }: StartOutcome, ...kinds: readonly string[]): string[] {
  return steps
    .filter(({ kind }) => kinds.length === 0 || kinds.includes(kind))
    .map(({ outcome, kind, target }) => `${outcome} ${kind} ${target}`);
}

/** A promise and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
