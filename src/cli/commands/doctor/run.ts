import type { Arguments } from 'yargs';
import { diagnose } from '../../../doctor/diagnose.ts';
import type { Examined } from '../../../doctor/examined.ts';
import { type Finding, matters } from '../../../doctor/finding.ts';
import { planFix } from '../../../doctor/plan-fix.ts';
import { gravity } from '../../../doctor/summary.ts';
import { AixclError } from '../../../errors.ts';
import type { Context } from '../../context.ts';
import { examine } from './examine.ts';
import { findingsText } from './text.ts';

/** `doctor`: looks, and tells; with `--fix` it first does what is safe. */
export async function doctor(context: Context, argv: Arguments): Promise<void> {
  if (argv.move !== undefined) {
    if (argv.fix === true) throw twoAtOnce();
    const { move } = await import('./move.ts');
    return move(context, argv);
  }
  const examined = await examine(context);
  const steps = argv.fix === true ? planFix(examined) : [];
  if (steps.length === 0) return tell(context, examined);
  const { applyFix } = await import('./fix.ts');
  await applyFix(context, steps);
  await tell(context, context.flags.dryRun ? examined : await examine(context));
}

async function tell(context: Context, examined: Examined): Promise<void> {
  const findings = diagnose(examined);
  if (context.flags.format === 'json') await context.out.list('finding', findings, []);
  else context.out.line(findingsText(examined, findings, context.out.paint));
  const grave = findings.filter(matters);
  if (grave.length > 0) {
    throw new AixclError('findings', `${gravity(grave)} found`, { hint: nextOf(grave) });
  }
}

/** What is safe is done by one command. */
function nextOf(grave: readonly Finding[]): string | undefined {
  const next = grave.find(({ fixable }) => fixable) ?? grave.find(({ command }) => command !== null);
  return next?.command ?? undefined;
}

function twoAtOnce(): AixclError {
  return new AixclError('usage', '--fix and --move are two things to do', {
    hint: 'aixcl doctor --fix, then aixcl doctor --move NAME',
  });
}
