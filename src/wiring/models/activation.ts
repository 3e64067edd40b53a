import { setTimeout } from 'node:timers/promises';
import { newRequestId } from '../../adapters/models-directory/directory.ts';
import type { ActivationOutcome, ActivationPorts } from '../../models/activate.ts';
import type { Surroundings } from '../surroundings.ts';

/** What an activation needs from the world, but for what each front end knows of it in its own way. */
export function activationPorts(
  { signal }: Pick<Surroundings, 'signal'>,
  own: Pick<ActivationPorts, 'by' | 'directory' | 'serverRunning' | 'note'>,
): ActivationPorts {
  return {
    ...own,
    newRequestId: () => newRequestId(new Date()),
    now: () => new Date(),
    async sleep(milliseconds) {
      await setTimeout(milliseconds, undefined, { signal }).catch((error: unknown) => {
        throw signal.reason ?? error;
      });
    },
  };
}

/** What came of it, for people. */
export const activationWords: Readonly<Record<ActivationOutcome, string>> = {
  applied: 'llama-server serves it',
  recorded: 'llama-server is not running: it is proven at the next start',
  unchanged: 'llama-server serves it already',
};
