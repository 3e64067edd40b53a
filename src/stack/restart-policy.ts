import type { RestartPolicy } from './definition/types.ts';

/** The policy that Compose spells so (`unless-stopped`, `on-failure:3`); undefined for no such one. */
export function parseRestartPolicy(written: string): RestartPolicy | undefined {
  const match = /^(?:(no|always|unless-stopped)|(on-failure)(?::(\d+))?)$/.exec(written);
  if (!match) return undefined;
  const name = (match[1] ?? match[2]) as RestartPolicy['name'];
  return match[3] ? { name, maximumRetryCount: Number(match[3]) } : { name };
}

export function spellRestartPolicy({ name, maximumRetryCount }: RestartPolicy): string {
  return maximumRetryCount ? `${name}:${maximumRetryCount}` : name;
}
