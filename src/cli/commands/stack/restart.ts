import type { Arguments } from 'yargs';
import type { Note } from '../../../plan/journal.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { inDependencyOrder } from '../../../stack/dependency-order.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import {
  applyRestart,
  awaitRestarted,
  interrupted,
  planRestart,
  type RestartStep,
} from '../../../stack/restart.ts';
import { journalled } from '../../../wiring/journalled.ts';
import type { Context } from '../../context.ts';
import { operationWish } from './operation-wish.ts';
import { calledAs, namesOf, number, toActOn } from './selection.ts';
import { turnOf } from './turn.ts';

/** `stack restart`: the same containers, stopped and started, each under its own name again. An interrupted recreate is settled first. */
export async function restart(context: Context, argv: Arguments): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const services = inDependencyOrder(toActOn(context, definition, argv));
  const named = namesOf(argv);
  const turn = turnOf(context, calledAs(argv, 'restart'));
  const { dryRun } = context.flags;
  const hands = { timeout: number(argv.timeout), dryRun, signal: context.signal, progress: context.progress };
  const wish = { ...operationWish(context, argv, 'restart'), evenUnwritten: true };

  const steps = await journalled(context, wish, async ({ operation: { step: note } }) => {
    let restarted = await inTurn(() => restartAll(note));
    let settled: readonly StepOutcome[] = [];
    if (restarted.broken.length > 0) {
      const started = await settle(context, argv, restarted.broken);
      settled = started.steps;
      restarted = await inTurn(() => restartAll(note, started.anew));
    }
    if (argv.wait !== false && !dryRun) {
      const waitTimeoutMs = (number(argv.waitTimeout) ?? 300) * 1000;
      await awaitRestarted(engine, restarted.plan, { ...hands, waitTimeoutMs });
    }
    return [...settled, ...restarted.steps];
  });
  context.out.result(
    { command: calledAs(argv, 'restart'), changed: steps.some(({ outcome }) => outcome === 'done'), steps },
    steps.flatMap(inWords).join('\n'),
  );

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return dryRun ? work() : turn.hold(work);
  }

  /** Restarts them; with `anew` absent, only where no recreate was interrupted, and else names those where one was. */
  async function restartAll(note: Note, anew?: ReadonlySet<string>): Promise<Restarted> {
    const containers = await engine.listContainers();
    refuseOtherHome(containers, context.home);
    const broken = anew ? [] : interrupted(definition, services, containers);
    if (broken.length > 0) return { broken, plan: [], steps: [] };
    const plan = planRestart(definition, services, containers, { named, anew: anew ?? new Set() });
    return { broken, plan, steps: await applyRestart(engine, plan, { ...hands, note }) };
  }
}

interface Restarted {
  /** Services whose recreate was interrupted; then nothing was done. */
  readonly broken: readonly string[];
  readonly plan: readonly RestartStep[];
  readonly steps: readonly StepOutcome[];
}

/** Starts these services and no other, so that each has one container, made from the definition as it is now. */
async function settle(
  context: Context,
  argv: Arguments,
  services: readonly string[],
): Promise<{ readonly steps: readonly StepOutcome[]; readonly anew: ReadonlySet<string> }> {
  const { startAlone } = await import('./start.ts');
  const { plan, steps } = await startAlone(context, { ...argv, services }, 'restart');
  const kept = new Set(plan.flatMap((step) => (step.kind === 'keep' ? step.service : [])));
  return { steps, anew: new Set(services.filter((service) => !kept.has(service))) };
}

function inWords({ kind, target, outcome }: StepOutcome): string | readonly [] {
  if (outcome === 'planned') return `${kind.replaceAll('-', ' ')} ${target}`;
  if (outcome !== 'done' || kind === 'wait') return [];
  return `${done[kind] ?? `${kind.replaceAll('-', ' ')}:`} ${target}`;
}

const done: Readonly<Record<string, string>> = {
  restart: 'restarted',
  rename: 'renamed',
  'remove-leftover': 'removed the leftover',
  'remove-replaced': 'removed the replaced',
  replace: 'replaced',
  start: 'started',
};
