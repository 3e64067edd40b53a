import type { Examined, ServiceExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Services that are not well, and containers that an interrupted recreate left. */
export function checkServices({ services = [] }: Examined): Finding[] {
  return services.flatMap((service) => [...odd(service), ...sick(service)]);
}

function odd({ service, condition, matchedBy, candidates, onlyRename }: ServiceExamined): Finding[] {
  if (condition === null) return [];
  const byHand = matchedBy === 'name' && !candidates;
  return [
    {
      check: byHand ? 'service-by-hand' : 'service-interrupted',
      level: byHand ? 'note' : 'problem',
      what: `${service}: ${condition.split('; aixcl ')[0]}`,
      why: byHand
        ? 'aixcl neither stops nor replaces it, and its volumes are mounted as somebody else chose.'
        : 'The service runs under another name, or twice, or not at all; its data is there.',
      command: byHand
        ? 'aixcl stack start --adopt'
        : onlyRename
          ? 'aixcl doctor --fix'
          : `aixcl service restart ${service}`,
      fixable: !byHand && onlyRename,
    },
  ];
}

function sick({ service, container, state, health, status }: ServiceExamined): Finding[] {
  const how = ailment(state, health, status);
  if (how === undefined) return [];
  return [
    {
      check: 'service-unhealthy',
      level: 'problem',
      what: `${service} ${how} (${container}: ${status})`,
      why: 'It does not answer, or not reliably.',
      command: `aixcl service logs ${service}`,
      fixable: false,
    },
  ];
}

function ailment(
  state: ServiceExamined['state'],
  health: ServiceExamined['health'],
  status: string,
): string | undefined {
  if (state === 'restarting') return 'ends and is started again and again';
  if (state === 'dead') return 'is dead';
  if (state === 'paused') return 'is paused';
  if (state === 'running') return health === 'unhealthy' ? 'is not healthy' : undefined;
  if (state !== 'exited') return undefined;
  const code = Number(/^Exited \((\d+)\)/.exec(status)?.[1] ?? 0);
  return endsWhenStopped.has(code) ? undefined : 'ended by itself';
}

/** Done; or ended by SIGINT, SIGKILL or SIGTERM, as a stop does. */
const endsWhenStopped = new Set([0, 130, 137, 143]);
