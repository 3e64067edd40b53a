import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Owner } from '../home-folder.ts';
import { namesIn } from '../names-in.ts';

/** A secret that was handed out; here alone it stands in clear. */
export interface Issued {
  /** 32 random bytes, base64url. */
  readonly secret: string;
  readonly expires: Date;
}

export interface SecretKind {
  readonly folder: string;
  readonly lifetimeMs: number;
  /** How many are kept; the oldest go. */
  readonly most: number;
}

/** Of a file in the folder: sha256 of the secret. */
const hashed = /^[0-9a-f]{64}$/;

/**
 * Secrets that open something until they expire. Of each a file is kept, for its owner alone (0600 in folders of 0700): the name is the
 * secret's sha256, the content when it expires, in ISO 8601. So whoever reads the folder, or a backup of it, can open nothing.
 */
export class Secrets {
  readonly #kind: SecretKind;
  readonly #now: () => Date;

  constructor(kind: SecretKind, now: () => Date = () => new Date()) {
    this.#kind = kind;
    this.#now = now;
  }

  /** `owner`: whom folders and file are given to when root makes them. Takes away what has expired. */
  async issue(owner?: Owner): Promise<Issued> {
    const { folder, lifetimeMs } = this.#kind;
    await makePrivate(dirname(folder), owner);
    await makePrivate(folder, owner);
    await this.#sweep();
    const secret = randomBytes(32).toString('base64url');
    const expires = new Date(this.#now().getTime() + lifetimeMs);
    await using file = await open(join(folder, hashOf(secret)), 'wx', 0o600);
    await file.writeFile(`${expires.toISOString()}\n`);
    if (owner && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    return { secret, expires };
  }

  /** What it is known by (nothing secret), if it opens. Compares with all that are kept, each in constant time. */
  async find(secret: string): Promise<string | undefined> {
    const asked = Buffer.from(hashOf(secret));
    let found: string | undefined;
    for (const name of (await namesIn(this.#kind.folder)).filter((name) => hashed.test(name))) {
      if (timingSafeEqual(Buffer.from(name), asked)) found = name;
    }
    return found !== undefined && (await this.#isGood(found)) ? found : undefined;
  }

  /** As `find`, and it opens no more. Of two at once one gets it. */
  async take(secret: string): Promise<boolean> {
    const found = await this.find(secret);
    return found !== undefined && (await this.#forget(found));
  }

  /** One that would be good for longer than any that is made now was made under another clock. */
  async #isGood(name: string): Promise<boolean> {
    const text = await readFile(join(this.#kind.folder, name), 'latin1').catch(() => '');
    const left = Date.parse(text.trim()) - this.#now().getTime();
    return left > 0 && left <= this.#kind.lifetimeMs;
  }

  async #sweep(): Promise<void> {
    const { folder, lifetimeMs, most } = this.#kind;
    const names = (await readdir(folder)).filter((name) => hashed.test(name));
    const kept = await Promise.all(
      names.map(async (name) => {
        const found = await stat(join(folder, name)).catch(() => undefined);
        return { name, made: found?.mtimeMs ?? 0 };
      }),
    );
    kept.sort((a, b) => b.made - a.made);
    const oldest = this.#now().getTime() - lifetimeMs;
    const going = kept.filter(({ made }, index) => made <= oldest || index >= most - 1);
    await Promise.all(going.map(({ name }) => this.#forget(name)));
  }

  /** Whether it was there. */
  async #forget(name: string): Promise<boolean> {
    try {
      await unlink(join(this.#kind.folder, name));
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A folder that its owner alone can look into. */
async function makePrivate(path: string, owner: Owner | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, gid, mode } = await stat(path);
  if ((mode & 0o777) !== 0o700) await chmod(path, 0o700);
  if (!owner || process.getuid?.() !== 0) return;
  if (uid !== owner.uid || gid !== owner.gid) await chown(path, owner.uid, owner.gid);
}
