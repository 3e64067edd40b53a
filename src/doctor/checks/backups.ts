import type { BackupsExamined, Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { count, daysBetween, few } from '../words.ts';

/** So many days without a new backup are worth a word. */
const longAgo = 30;

/** Models that no snapshot holds, and how old the newest is. */
export function checkBackups({ backups, now }: Examined): Finding[] {
  if (!backups) return [];
  return [...without(backups), ...age(backups, now)];
}

function without({ uniqueWithout, pulledWithout }: BackupsExamined): Finding[] {
  const found: Finding[] = [];
  if (uniqueWithout.length > 0) {
    found.push({
      check: 'unique-without-backup',
      level: 'problem',
      what: `${count(uniqueWithout.length, 'model')} that no address is known for ${uniqueWithout.length === 1 ? 'was' : 'were'} never backed up: ${few(uniqueWithout)}`,
      why: 'What is nowhere else is gone when its disk fails.',
      command: 'aixcl backups create',
      fixable: false,
    });
  }
  if (pulledWithout.length > 0) {
    found.push({
      check: 'never-backed-up',
      level: 'note',
      what: `${count(pulledWithout.length, 'model')} ${pulledWithout.length === 1 ? 'was' : 'were'} never backed up: ${few(pulledWithout)}`,
      why: 'Whether their source has them still was not asked (aixcl models list asks); what it no longer has is gone when the disk fails.',
      command: 'aixcl backups create',
      fixable: false,
    });
  }
  return found;
}

function age({ newest, models }: BackupsExamined, now: Date): Finding[] {
  if (models === 0 || newest === null) return [];
  const days = daysBetween(newest, now);
  if (days < longAgo) return [];
  return [
    {
      check: 'backups-old',
      level: 'note',
      what: `the newest backup is ${days} days old`,
      why: 'What changed since then is in no backup.',
      command: 'aixcl backups create',
      fixable: false,
    },
  ];
}
