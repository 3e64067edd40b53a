import type { Arguments } from 'yargs';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { StartOutcome } from '../../../stack/apply-start.ts';
import { baseArguments } from '../../../stack/build-bases.ts';
import type { ServiceDefinition } from '../../../stack/definition/types.ts';
import { describe } from '../../../stack/start-report.ts';
import type { StartStep } from '../../../stack/start-step.ts';
import type { Context } from '../../context.ts';
import { type BroughtUp, bringUp } from './bring-up.ts';
import { endpoints } from './endpoints.ts';
import { operationWish } from './operation-wish.ts';
import { calledAs } from './selection.ts';

/** `stack start`. */
export async function start(context: Context, argv: Arguments): Promise<void> {
  const done = await bringUp(context, argv);
  const command = calledAs(argv, 'start');
  if (!done.outcome) return showPlan(context, command, done.plan);
  context.out.result(resultOf(command, done.outcome), await textOf(context, done));
  throwFailures(context, done, done.outcome);
}

/** The start of these services by `command` with every option as it is by default; prints nothing on stdout. */
export async function startServices(
  context: Context,
  services: readonly string[],
  command: string,
): Promise<void> {
  const done = await bringUp(context, { _: [], $0: '', services }, { command, targets: services });
  if (done.outcome) throwFailures(context, done, done.outcome);
}

/** The start of the services that `argv` names as part of another command: of these alone, not of what they depend on. */
export async function startAlone(
  context: Context,
  argv: Arguments,
  verb: string,
): Promise<{ readonly plan: readonly StartStep[]; readonly steps: readonly StepOutcome[] }> {
  const wish = operationWish(context, argv, verb);
  const done = await bringUp(context, { ...argv, alone: true }, wish);
  const { plan, outcome } = done;
  if (!outcome) return { plan, steps: plannedSteps(plan) };
  throwFailures(context, done, outcome);
  return { plan, steps: outcome.steps };
}

function showPlan(context: Context, command: string, plan: readonly StartStep[]): void {
  const steps = plannedSteps(plan);
  const lines = steps.map(
    ({ kind, target, because }) => `${kind.replaceAll('-', ' ')} ${target}: ${because}`,
  );
  context.out.result({ command, changed: false, steps }, lines.join('\n') || 'nothing to do');
}

function plannedSteps(plan: readonly StartStep[]): StepOutcome[] {
  return plan.map((step) => ({ ...describe(step), outcome: 'planned' }));
}

function resultOf(command: string, { steps }: StartOutcome) {
  return {
    command,
    changed: steps.some(({ outcome, kind }) => outcome === 'done' && kind !== 'wait'),
    steps,
  };
}

/** Endpoints of the services that are up. */
async function textOf(
  context: Context,
  { definition, services, outcome }: BroughtUp,
): Promise<string | undefined> {
  const up = services.filter(({ name }) => !outcome?.failed.has(name));
  return up.length > 0 ? endpoints(context, definition, up, outcome?.loading ?? []) : undefined;
}

/** Images that could not be had leave the rest of the stack up: partly done. Any other failure is the command's. */
function throwFailures(
  context: Context,
  { services }: Pick<BroughtUp, 'services'>,
  { failures, failed, steps }: StartOutcome,
): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  const anyUp = steps.some(
    ({ kind, outcome }) =>
      (kind === 'keep' && outcome === 'kept') || (kind === 'start' && outcome === 'done'),
  );
  const onlyImages = steps.every(({ kind, outcome }) => outcome !== 'failed' || kind.endsWith('-image'));
  if (!onlyImages) {
    for (const other of others) context.out.warn(reasonOf(other));
    throw first;
  }
  const names = [...failed].join(', ');
  const lacking = services.filter(({ name }) => failed.has(name));
  throw new AixclError(
    anyUp ? 'partly' : 'notFound',
    `${names}: the image can't be had${anyUp ? '; the others run' : ''}`,
    {
      hint: `Bring ${lacking.map(neededImage).join(', ')} by docker load, or name another: ${lacking.map(imageVariable).join(' ')} aixcl stack start`,
      evidence: failures.map(reasonOf),
    },
  );
}

/** What has to come from elsewhere: a service's image, or what that is built on. */
function neededImage({ image, build }: ServiceDefinition): string {
  return (build && baseArguments(build)[0]?.[1]) || image;
}

/** The variable of services/compose.yaml that replaces it. */
function imageVariable({ name, build }: ServiceDefinition): string {
  const base = build && baseArguments(build)[0]?.[0];
  return `${base ?? `${name.toUpperCase().replaceAll('-', '_')}_IMAGE`}=…`;
}
