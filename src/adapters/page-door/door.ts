import { join } from 'node:path';
import type { Home } from '../../home.ts';
import type { Owner } from '../home-folder.ts';
import { type Issued, Secrets } from './secrets.ts';

const hour = 60 * 60 * 1000;

/** How long a browser that was let in stays so, in seconds. */
export const sessionSeconds = (30 * 24 * hour) / 1000;

/** A token for the page's address: good once, for an hour. `owner`: who the page runs as. */
export async function issueToken(home: Home, owner: Owner): Promise<Issued> {
  return tokensOf(home.root).issue(owner);
}

/** Who may use the page: whoever brings a token gets a session, and keeps it also when the service starts anew. */
export class Door {
  readonly #tokens: Secrets;
  readonly #sessions: Secrets;

  constructor(home: Pick<Home, 'root'>, now?: () => Date) {
    this.#tokens = tokensOf(home.root, now);
    const folder = join(home.root, 'page', 'sessions');
    this.#sessions = new Secrets({ folder, lifetimeMs: sessionSeconds * 1000, most: 200 }, now);
  }

  /** A session's secret for a token, which is used up by it; undefined: it is unknown, used or old. */
  async enter(token: string): Promise<string | undefined> {
    if (!(await this.#tokens.take(token))) return undefined;
    return (await this.#sessions.issue()).secret;
  }

  /** What the session is known by in here, if there is such a one. */
  session(secret: string): Promise<string | undefined> {
    return this.#sessions.find(secret);
  }
}

function tokensOf(root: string, now?: () => Date): Secrets {
  return new Secrets({ folder: join(root, 'page', 'tokens'), lifetimeMs: hour, most: 100 }, now);
}
