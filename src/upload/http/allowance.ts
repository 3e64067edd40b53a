import { Bucket, type Clock } from './bucket.ts';

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
  readonly #requests: Bucket;
  #uploads = 0;

  constructor(now: Clock) {
    this.#requests = new Bucket(requests.most, requests.perSecond, now);
  }

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
  readonly strangers: Bucket;
  readonly wrongTokens: Bucket;
  readonly #sessions = new Map<string, Allowance>();
  readonly #now: Clock;

  constructor(now: Clock = () => performance.now()) {
    this.strangers = new Bucket(strangers.most, strangers.perSecond, now);
    this.wrongTokens = new Bucket(wrongTokens.most, wrongTokens.perSecond, now);
    this.#now = now;
  }

  of(session: string): Allowance {
    let allowance = this.#sessions.get(session);
    if (!allowance) {
      allowance = new Allowance(this.#now);
      this.#sessions.set(session, allowance);
    }
    return allowance;
  }
}
