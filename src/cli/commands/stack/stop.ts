import type { Arguments } from 'yargs';
import type { Note } from '../../../plan/journal.ts';
import { inDependencyOrder } from '../../../stack/dependency-order.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { applyStop, planStop } from '../../../stack/stop.ts';
import { journalled } from '../../../wiring/journalled.ts';
import type { Context } from '../../context.ts';
import { operationWish } from './operation-wish.ts';
import { calledAs, namesOf, number, toActOn } from './selection.ts';
import { turnOf } from './turn.ts';

/** `stack stop`: stops containers, dependents before what they depend on; removes nothing. */
export async function stop(context: Context, argv: Arguments): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const turn = turnOf(context, calledAs(argv, 'stop'));
  const wish = { ...operationWish(context, argv, 'stop'), evenUnwritten: true };
  const steps = await journalled(context, wish, ({ operation: { step } }) =>
    context.flags.dryRun ? stopAll(step) : turn.hold(() => stopAll(step)),
  );
  const stopped = steps.filter(({ outcome }) => outcome !== 'kept');
  const words = stopped.map(({ target, outcome }) =>
    outcome === 'planned' ? `stop ${target}` : `stopped ${target}`,
  );
  context.out.result(
    { command: calledAs(argv, 'stop'), changed: stopped.some(({ outcome }) => outcome === 'done'), steps },
    words.join('\n') || 'nothing runs',
  );

  async function stopAll(note: Note) {
    const containers = await engine.listContainers();
    refuseOtherHome(containers, context.home);
    const services = inDependencyOrder(toActOn(context, definition, argv)).reverse();
    const plan = planStop(definition, services, containers, namesOf(argv).length > 0);
    return applyStop(engine, plan, {
      timeout: number(argv.timeout),
      dryRun: context.flags.dryRun,
      signal: context.signal,
      note,
      progress: context.progress,
    });
  }
}
