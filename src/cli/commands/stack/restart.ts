import type { Arguments } from 'yargs';
import { inDependencyOrder } from '../../../stack/dependency-order.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { applyRestart, planRestart } from '../../../stack/restart.ts';
import type { Context } from '../../context.ts';
import { calledAs, namesOf, number, toActOn } from './selection.ts';

/** `stack restart`: the same containers, stopped and started, each under its own name again. */
export async function restart(context: Context, argv: Arguments): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containers = await engine.listContainers();
  refuseOtherHome(containers, context.home);
  const services = inDependencyOrder(toActOn(context, definition, argv));
  const plan = planRestart(definition, services, containers, namesOf(argv));
  const steps = await applyRestart(engine, plan, {
    timeout: number(argv.timeout),
    wait: argv.wait !== false,
    waitTimeoutMs: (number(argv.waitTimeout) ?? 300) * 1000,
    dryRun: context.flags.dryRun,
    signal: context.signal,
    progress: context.progress,
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
