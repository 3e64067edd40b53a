import type { Examined, Trouble, Unexamined } from '../examined.ts';
import type { Finding } from '../finding.ts';
import { few } from '../words.ts';

/** What could not be examined may be in any state, the definition among it. */
export function checkExamination({ definition, unexamined }: Examined): Finding[] {
  const found: Finding[] = [];
  if (definition) {
    found.push({
      check: 'definition-wrong',
      level: 'problem',
      what: definition.what,
      why: 'No command that needs the services works before it is mended. Services and their volumes were not examined.',
      command: definition.command ?? 'aixcl stack status',
      fixable: false,
    });
  }
  for (const { parts, what, command } of together(unexamined)) {
    found.push({
      check: 'not-examined',
      level: 'problem',
      what: `${few(parts, parts.length)} could not be examined: ${what}`,
      why: 'Whether something is wrong there is not known.',
      command: command ?? 'aixcl doctor --debug',
      fixable: false,
    });
  }
  return found;
}

/** Parts that failed by the same. */
function together(unexamined: readonly Unexamined[]): (Trouble & { readonly parts: string[] })[] {
  const groups = new Map<string, Trouble & { readonly parts: string[] }>();
  for (const { part, ...trouble } of unexamined) {
    const known = groups.get(trouble.what);
    if (known) known.parts.push(part);
    else groups.set(trouble.what, { ...trouble, parts: [part] });
  }
  return [...groups.values()];
}
