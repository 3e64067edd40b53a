import { claim } from '../../../adapters/claim.ts';
import { Turn } from '../../../stack/turn.ts';
import type { Context } from '../../context.ts';

/** A command that waited in the middle of its work, for a service's health say, gets its turn again after at most so many seconds. */
const againSeconds = 120;

/** The turn to change this home's stack; others exit with 11, or wait with `--wait-lock`. */
export function turnOf(context: Context, command: string): Turn {
  return new Turn((again) =>
    claim(`stack ${context.home.root}`, {
      what: 'the stack',
      holder: `aixcl ${command}`,
      patience: again ? againSeconds : context.flags.waitLock,
      signal: context.signal,
    }),
  );
}
