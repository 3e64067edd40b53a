import type { Arguments } from 'yargs';
import type { Note } from '../../../plan/journal.ts';
import { inDependencyOrder } from '../../../stack/dependency-order.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { applyRestart, awaitRestarted, planRestart } from '../../../stack/restart.ts';
import type { Context } from '../../context.ts';
import { journalled } from '../wiring/journalled.ts';
import { operationWish } from './operation-wish.ts';
import { calledAs, namesOf, number, toActOn } from './selection.ts';
import { turnOf } from './turn.ts';

/** `stack restart`: the same containers, stopped and started, each under its own name again. */
export async function restart(context: Context, argv: Arguments): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const turn = turnOf(context, calledAs(argv, 'restart'));
  const { dryRun } = context.flags;
  const hands = { timeout: number(argv.timeout), dryRun, signal: context.signal, progress: context.progress };
  const restartAll = async (note: Note) => {
    const containers = await engine.listContainers();
    refuseOtherHome(containers, context.home);
    const services = inDependencyOrder(toActOn(context, definition, argv));
    const planned = planRestart(definition, services, containers, namesOf(argv));
    return { plan: planned, steps: await applyRestart(engine, planned, { ...hands, note }) };
  };
  const wish = { ...operationWish(context, argv, 'restart'), evenUnwritten: true };
  const steps = await journalled(context, wish, async ({ operation: { step } }) => {
    const done = await (dryRun ? restartAll(step) : turn.hold(() => restartAll(step)));
    if (argv.wait !== false && !dryRun) {
      const waitTimeoutMs = (number(argv.waitTimeout) ?? 300) * 1000;
      await awaitRestarted(engine, done.plan, { ...hands, waitTimeoutMs });
    }
    return done.steps;
  });
  const words = steps.map(
    ({ kind, target, outcome }) =>
      `${outcome === 'planned' ? kind.replace('-', ' ') : done[kind as keyof typeof done]} ${target}`,
  );
  context.out.result(
    { command: calledAs(argv, 'restart'), changed: steps.some(({ outcome }) => outcome === 'done'), steps },
    words.join('\n'),
  );
}

const done = { restart: 'restarted', rename: 'renamed', 'remove-leftover': 'removed the leftover' } as const;
