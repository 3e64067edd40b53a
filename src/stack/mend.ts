import { ambiguous, type Match, type ServiceIdentity, splitLeftovers } from './container-ref.ts';
import { isAside, isFailed } from './set-aside.ts';

/** What becomes of the containers of one service, of which an interrupted recreate, ours or Compose's, may have left several. */
export interface Mended {
  /** The service's container; it gets the service's name, and keeps its volumes. Undefined: there is none. */
  readonly stays: Match | undefined;
  /** They don't run, and hold nothing that nothing else holds. */
  readonly goes: readonly { readonly match: Match; readonly because: string }[];
  /**
   * A redeploy of ours that was interrupted: the one set aside, and the one that was made to replace it. Neither is in `stays` or `goes`;
   * `replacement` is undefined when it was removed meanwhile.
   */
  readonly redeploy: { readonly old: Match; readonly replacement: Match | undefined } | undefined;
}

/** Decides it. Throws `refused`, showing all of them, where it is not clear. `fits`: made from the definition as it is now. */
export function mend(
  identity: ServiceIdentity,
  found: readonly Match[],
  _fits: (match: Match) => boolean,
): Mended {
  const asides = found.filter(({ container }) => isAside(container));
  const [old] = asides;
  const others = found.filter((match) => match !== old);
  const given = old ? [] : others.filter(({ container }) => isFailed(container));
  const { leftovers, rest } = splitLeftovers(others.filter((match) => !given.includes(match)));
  if (rest.length > 1 || asides.length > 1) throw ambiguous(identity, found);
  const goes = [
    ...given.map((match) => ({ match, because: 'it did not become healthy, and was given up' })),
    ...leftovers.map((match) => ({
      match,
      because: 'an interrupted replacement left it behind; it never ran',
    })),
  ];
  return old
    ? { stays: undefined, goes, redeploy: { old, replacement: rest[0] } }
    : { stays: rest[0], goes, redeploy: undefined };
}
