import { Bucket } from './bucket.ts';

/** Of one session: requests at once and a second. 8 MiB chunks as fast as a disk takes them are some 200. */
const requests = { most: 400, perSecond: 200 };
/** Of all who have no session together. */
const strangers = { most: 100, perSecond: 20 };
/** Wrong tokens of all together; a right one is let in all the same. */
const wrongTokens = { most: 10, perSecond: 0.2 };
/** Requests of one session that bring bytes, at once. */
const uploadsAtOnce = 32;

/** What one session may still ask for. */
export class Allowance {
  readonly #requests = new Bucket(requests.most, requests.perSecond);
  #uploads = 0;

  /** Seconds to wait; 0: none. */
  request(): number {
    return this.#requests.take();
  }

  /** False: there are too many. Where true, `endUpload` follows when the request has ended. */
  beginUpload(): boolean {
    if (this.#uploads >= uploadsAtOnce) return false;
    this.#uploads += 1;
    return true;
  }

  endUpload(): void {
    this.#uploads -= 1;
  }
}

/** So that none takes what belongs to all. */
export class Allowances {
  readonly #sessions = new Map<string, Allowance>();
  readonly strangers = new Bucket(strangers.most, strangers.perSecond);
  readonly wrongTokens = new Bucket(wrongTokens.most, wrongTokens.perSecond);

  of(session: string): Allowance {
    let allowance = this.#sessions.get(session);
    if (!allowance) {
      allowance = new Allowance();
      this.#sessions.set(session, allowance);
    }
    return allowance;
  }
}
