import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/**
 * Who holds the lock at `path` (file-lock.ts), for those who only want to show it. A holder's signature is asked for first: only where there is
 * one the kernel is asked whether it is held, by a lock that is let go at once. One that a killed holder left is asked about once.
 */
export class LockHolder {
  readonly #path: string;
  #abandoned: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** As the holder signed; null: nobody. */
  async look(): Promise<string | null> {
    const text = (await readFile(this.#path, 'utf8').catch(absent))?.trim();
    if (!text) return null;
    const signed = `${(await stat(this.#path, { bigint: true }).catch(absent))?.mtimeNs} ${text}`;
    if (signed === this.#abandoned) return null;
    if (await this.#isHeld()) return text;
    this.#abandoned = signed;
    return null;
  }

  async #isHeld(): Promise<boolean> {
    // Opening takes the lock on macOS; there the signature has to be believed.
    if (process.platform === 'darwin') return true;
    const handle = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent);
    if (!handle) return false;
    await using file = handle;
    return await refused(file);
  }
}

/** Exit code that we give flock for "another has it". */
const taken = 75;

async function refused(file: FileHandle): Promise<boolean> {
  const args = ['--shared', '--nonblock', '--conflict-exit-code', String(taken), '3'];
  const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'ignore', file.fd] });
  return await new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === taken));
  });
}

function absent(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
  throw error;
}
