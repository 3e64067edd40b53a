import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, few } from '../words.ts';

/** What killed commands left. */
export function checkLeftovers({ leftovers }: Examined): Finding[] {
  if (!leftovers) return [];
  const { helpers, unfinishedNames, interrupted } = leftovers;
  const found: Finding[] = [];
  if (unfinishedNames) {
    found.push({
      check: 'names-half-changed',
      level: 'problem',
      what: 'a killed command left names of models half changed',
      why: 'A model may be missing under its name until that is finished or taken back; nothing is lost.',
      command: 'aixcl doctor --fix',
      fixable: true,
    });
  }
  if (helpers.length > 0) {
    found.push({
      check: 'helper-left',
      level: 'note',
      what: `${count(helpers.length, 'helper container')} of killed commands: ${few(helpers)}`,
      why: 'Each keeps folders or volumes open for a day.',
      command: 'aixcl doctor --fix',
      fixable: true,
    });
  }
  if (interrupted) {
    const when = interrupted.began.toISOString().slice(0, 16).replace('T', ' ');
    found.push({
      check: 'command-interrupted',
      level: 'note',
      what: `aixcl ${interrupted.command}, begun ${when} UTC, was killed before its end`,
      why: 'What it began is finished or taken back when it, or another command that changes something, runs.',
      command: `aixcl journal ${interrupted.operation}`,
      fixable: false,
    });
  }
  return found;
}
