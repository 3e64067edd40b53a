import { labels } from '../../labels.ts';
import type { ServiceDefinition } from '../definition/types.ts';
import type { ContainerSummary } from '../engine.ts';
import { parseRestartPolicy } from '../restart-policy.ts';
import type { SetAside, StartStep, StartWish } from '../start-step.ts';
import type { Match } from './container-ref.ts';
import type { Mended } from './mend.ts';
import { asideName, isFailed } from './set-aside.ts';

export interface RedeployWish {
  readonly wish: Pick<StartWish, 'wait' | 'unready'>;
  /** The steps that wait for the service; none with `--no-wait`. */
  readonly wait: readonly StartStep[];
}

/** How a container of ours is replaced; the one that is there is kept until the new one is healthy. */
export function planReplacement(
  service: ServiceDefinition,
  { id, name }: ContainerSummary,
  because: string,
  { wish, wait }: RedeployWish,
): StartStep[] {
  const aside = asideName(name, id);
  return [
    { kind: 'replace', service: service.name, id, name, aside, because },
    { kind: 'start', service: service.name, because: 'it was just made' },
    ...wait,
    wish.wait ? removal(service, { id, name: aside }) : staying(service, { id, name: aside }),
  ];
}

/**
 * A replacement that never ran goes when its redeploy is taken back, not before: its labels say what the old one was like.
 */
export function withUnproven(mended: Mended): Mended {
  const { goes, redeploy } = mended;
  if (!redeploy || redeploy.replacement) return mended;
  const { old } = redeploy;
  const unproven = goes.find(
    ({ match }) => match.container.labels[labels.replaces] === old.container.id,
  )?.match;
  return {
    ...mended,
    goes: goes.filter(({ match }) => match !== unproven),
    redeploy: { old, replacement: unproven },
  };
}

/**
 * What becomes of a redeploy that was interrupted: `steps` go on with the replacement, or settle which container is the service's; in that
 * case it is `match`, and planned as any other. `fits`: the replacement is made from the definition as it is now.
 */
export function planInterrupted(
  service: ServiceDefinition,
  { old, replacement }: NonNullable<Mended['redeploy']>,
  fits: boolean,
  { wish, wait }: RedeployWish,
): { readonly steps: readonly StartStep[]; readonly match?: Match } {
  const aside: SetAside = { ...old.container, restart: policyOf(service, replacement) };
  if (!replacement || isFailed(replacement.container)) return back(service, old, aside, replacement);
  const { container } = replacement;
  if (container.state === 'created') return back(service, old, aside, replacement);
  const healthy = hasProven(container) && !wish.unready.has(service.name);
  if (!fits) {
    return healthy
      ? { steps: [removal(service, aside)], match: replacement }
      : back(service, old, aside, replacement);
  }
  if (!wish.wait && healthy) return { steps: [kept(service, container), removal(service, aside)] };
  const finish: StartStep = {
    kind: 'finish-replace',
    service: service.name,
    id: container.id,
    name: container.name,
    old: aside,
    because: `a redeploy was interrupted, and ${aside.name} is still set aside`,
  };
  const start: StartStep[] =
    container.state === 'running'
      ? []
      : [
          {
            kind: 'start',
            service: service.name,
            id: container.id,
            because: `it is ${container.state}`,
          },
        ];
  const end = wish.wait ? removal(service, aside) : staying(service, aside);
  return { steps: [finish, ...start, ...wait, end] };
}

/** The restart policy that the old one had; where that was noted nowhere, the one that the service has. */
function policyOf(service: ServiceDefinition, replacement: Match | undefined) {
  const noted = replacement?.container.labels[labels.replacedRestart];
  return (noted === undefined ? undefined : parseRestartPolicy(noted)) ?? service.restart ?? { name: 'no' };
}

function back(
  service: ServiceDefinition,
  old: Match,
  aside: SetAside,
  replacement: Match | undefined,
): { readonly steps: readonly StartStep[]; readonly match: Match } {
  const to = service.containerName;
  const step: StartStep = {
    kind: 'go-back',
    service: service.name,
    id: aside.id,
    name: aside.name,
    to,
    restart: aside.restart,
    because: `the one that was to replace it ${fateOf(replacement)}`,
    ...(replacement && { replacement: replacement.container.id }),
  };
  return { steps: [step], match: { ...old, container: { ...old.container, name: to } } };
}

function fateOf(replacement: Match | undefined): string {
  if (!replacement) return 'is gone';
  return replacement.container.state === 'created' ? 'never ran' : 'did not become healthy';
}

function removal(
  service: ServiceDefinition,
  { id, name }: { readonly id: string; readonly name: string },
): StartStep {
  return {
    kind: 'remove-replaced',
    service: service.name,
    id,
    name,
    because: `it is kept under this name, stopped, until the new ${service.name} is healthy`,
  };
}

/** What was set aside stays so when its redeploy ends without a verdict. */
export function staying(
  { name: service }: Pick<ServiceDefinition, 'name'>,
  { id, name }: { readonly id: string; readonly name: string },
): StartStep & { readonly kind: 'keep-aside' } {
  const because = `nobody knows yet whether the new ${service} is healthy; the next start removes it then, or goes back to it`;
  return { kind: 'keep-aside', service, id, name, because };
}

function kept(service: ServiceDefinition, { id, name }: ContainerSummary): StartStep {
  return { kind: 'keep', service: service.name, id, name, because: 'it runs as defined' };
}

/** Healthy by its health check; without one, up for longer than one that ends over and over. */
function hasProven({ state, health, status }: ContainerSummary): boolean {
  if (state !== 'running') return false;
  return health === 'healthy' || (health === 'none' && !/second/i.test(status));
}
