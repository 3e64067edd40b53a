import { AixclError } from '../errors.ts';
import type { BrokenRecord } from './snapshot.ts';

/** The error of one who looked for `text`, while not all of the vault can be read. */
export function unreadable(text: string, broken: readonly BrokenRecord[]): AixclError {
  const own = broken.find(({ name }) => name === text);
  const message = own
    ? `the record ${text} can't be read: ${own.why}`
    : `there is no ${text} among what can be read of the vault, and not all can be`;
  return new AixclError('verification', message, {
    evidence: own ? [] : broken.map(({ name, why }) => `${name}: ${why}`),
    hint: 'docs/recovery.md says how a record comes back',
  });
}
