import { shellWord } from '../../shell-word.ts';
import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Another AIXCL_HOME on this engine: its stack and this one would take each other's names. */
export function checkHomes({ home, otherHomes = [] }: Examined): Finding[] {
  return otherHomes.map(({ home: other, seenAt }) => ({
    check: 'other-home',
    level: 'problem',
    what: `${seenAt} on this engine belongs to the home ${other}; this is ${home}`,
    why: "An engine has room for one home: commands with this one are refused, or use the other one's volumes.",
    command: `AIXCL_HOME=${shellWord(other)} aixcl doctor`,
    fixable: false,
  }));
}
