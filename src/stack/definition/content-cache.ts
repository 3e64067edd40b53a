import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** More than any sane number of Compose files and settings; beyond it the folder is emptied. */
const maximumEntries = 200;

/**
 * Remembers results that follow from their input alone, between runs: loading the YAML and schema libraries and running them cold costs
 * more than all the rest of a command. An entry's name is the hash of its input and of this very build, so that nothing in it can be out
 * of date; one that is not whole counts as not there. Nothing here ever fails a command.
 */
export class ContentCache {
  readonly #folder: string | undefined;
  readonly #build: string;

  /** Without a folder nothing is remembered. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
    this.#build = folder === undefined ? '' : buildIdentity();
  }

  get(kind: string, input: string): string | undefined {
    if (this.#folder === undefined) return undefined;
    try {
      const content = readFileSync(join(this.#folder, this.#name(kind, input)), 'utf8');
      const value = content.slice(65);
      return content.slice(0, 64) === sha256(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  put(kind: string, input: string, value: string): void {
    if (this.#folder === undefined) return;
    const temporary = join(this.#folder, `.${randomBytes(8).toString('hex')}`);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const entries = readdirSync(this.#folder);
      if (entries.length > maximumEntries) {
        for (const entry of entries) rmSync(join(this.#folder, entry), { force: true });
      }
      writeFileSync(temporary, `${sha256(value)}\n${value}`, { flag: 'wx', mode: 0o600 });
      renameSync(temporary, join(this.#folder, this.#name(kind, input)));
    } catch {
      // A full or read-only disk: the next run computes it again.
      try {
        rmSync(temporary, { force: true });
      } catch {}
    }
  }

  #name(kind: string, input: string): string {
    return sha256(JSON.stringify([this.#build, kind, input]));
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Differs between any two builds: this file's place, size and time. */
function buildIdentity(): string {
  const path = fileURLToPath(import.meta.url);
  const { size, mtimeMs } = statSync(path);
  return JSON.stringify([path, size, mtimeMs]);
}
