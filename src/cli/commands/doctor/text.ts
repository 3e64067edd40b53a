import type { Examined } from '../../../doctor/examined.ts';
import type { Finding } from '../../../doctor/finding.ts';
import { summary } from '../../../doctor/summary.ts';
import type { Paint } from '../../context.ts';

/** The findings as people read them; the last line counts them, or says what was examined. */
export function findingsText(examined: Examined, findings: readonly Finding[], paint: Paint): string {
  const last = summary(examined, findings);
  return [
    ...findings.map((finding) => findingText(finding, paint)),
    findings.length === 0 ? paint.good(last) : paint.bold(last),
  ].join('\n\n');
}

function findingText({ level, what, why, command }: Finding, paint: Paint): string {
  const mark = {
    danger: paint.bad('DANGER'),
    problem: paint.warn('PROBLEM'),
    note: paint.dim('NOTE'),
  }[level];
  return [`${mark}  ${what}`, `  ${why}`, ...(command ? [`  ${paint.bold('next:')} ${command}`] : [])].join(
    '\n',
  );
}
