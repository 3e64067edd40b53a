import type { Examined } from './examined.ts';
import type { Finding } from './finding.ts';
import { count } from './words.ts';

/** The last line: `3 findings: 1 danger, 1 problem, 1 note`, or what was examined when there are none. */
export function summary(examined: Examined, findings: readonly Finding[]): string {
  if (findings.length === 0) return `Nothing found: ${examinedWords(examined)}`;
  return `${count(findings.length, 'finding')}: ${levelWords(findings)}`;
}

/** `1 danger, 2 problems, 0 notes`. */
function levelWords(findings: readonly Finding[]): string {
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  return `${count(of('danger'), 'danger')}, ${count(of('problem'), 'problem')}, ${count(of('note'), 'note')}`;
}

/** Findings that end the command with 9, in words: `1 danger and 2 problems`. */
export function gravity(findings: readonly Finding[]): string {
  const dangers = findings.filter(({ level }) => level === 'danger').length;
  const problems = findings.filter(({ level }) => level === 'problem').length;
  return [dangers > 0 ? count(dangers, 'danger') : '', problems > 0 ? count(problems, 'problem') : '']
    .filter(Boolean)
    .join(' and ');
}

function examinedWords({ engine, services, volumes, disks, backups, vault }: Examined): string {
  const there = volumes?.filter(({ exists }) => exists);
  return [
    engine.answers && `engine ${engine.version} (API ${engine.apiVersion})`,
    services && count(services.length, 'service'),
    there && count(there.length, 'volume'),
    disks && count(disks.length, 'disk'),
    backups && count(backups.models, 'model'),
    vault && count(vault.snapshots, 'snapshot'),
  ]
    .filter(Boolean)
    .join(', ');
}
