import { homeVariables } from '../../../adapters/home-folder.ts';
import { issueToken } from '../../../adapters/page-door/door.ts';
import { AixclError } from '../../../errors.ts';
import type { Context } from '../../context.ts';

export const pageService = 'upload-ui';

/** The page's address with a token of its own, good once. Throws `refused` where the page could not read what this user writes. */
export async function opened(context: Context, address: string): Promise<{ url: string; expires: string }> {
  const { AIXCL_UID, AIXCL_GID } = await homeVariables(context.home, context.env);
  const owner = { uid: Number(AIXCL_UID), gid: Number(AIXCL_GID) };
  const user = process.getuid?.() ?? 0;
  if (user !== 0 && user !== owner.uid) {
    throw new AixclError(
      'refused',
      `The page runs as user ${owner.uid}, who owns the models, and can't read what user ${user} writes for it`,
      { hint: 'sudo aixcl ui' },
    );
  }
  const { secret, expires } = await issueToken(context.home, owner);
  return { url: `${address}/?token=${secret}`, expires: expires.toISOString() };
}
