import type { Examined, ServiceExamined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Services that are not well, and containers that an interrupted recreate left. */
export function checkServices({ services = [] }: Examined): Finding[] {
  return services.flatMap((service) => [...odd(service), ...sick(service)]);
}

function odd({ service, condition, onlyRename }: ServiceExamined): Finding[] {
  if (condition === null) return [];
  const { what, command } = apart(condition);
  const byHand = command === adopt;
  return [
    {
      check: byHand ? 'service-by-hand' : 'service-interrupted',
      level: byHand ? 'note' : 'problem',
      what: `${service}: ${what}`,
      why: byHand
        ? 'aixcl neither stops nor replaces it, and its volumes are mounted as somebody else chose.'
        : 'The service runs under another name, or twice, or not at all; its data is there.',
      command: onlyRename ? 'aixcl doctor --fix' : (command ?? `aixcl service restart ${service}`),
      fixable: onlyRename,
    },
  ];
}

const adopt = 'aixcl stack start --adopt';

/** A condition says in one sentence what is odd and, behind it, what to type. */
function apart(condition: string): { readonly what: string; readonly command: string | undefined } {
  const found = /docker rename \S+ \S+\b|aixcl service (?:re)?start \S+|aixcl stack start --adopt/.exec(
    condition,
  );
  if (!found) return { what: condition, command: undefined };
  return { what: condition.slice(0, found.index).replace(/[;:,] $/, ''), command: found[0] };
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
