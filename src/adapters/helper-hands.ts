import { dirname, relative } from 'node:path';
import { AixclError, reasonOf } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { Engine } from '../stack/engine.ts';
import type { Hands } from '../vault/hands.ts';
import { HelperContainer, HelperFailure } from './helper-container.ts';
import type { HelperWish } from './helper-spec.ts';

export interface HandsWish extends Omit<HelperWish, 'mounts'> {
  readonly engine: Engine;
  /** Folders that are worked in, each there. Names can be linked within one of them: the home as a whole, that is. */
  readonly folders: readonly string[];
}

/** What is made belongs to whoever owns the folder that it is made in. */
const shared = `
[ -f "$1" ] && [ ! -L "$1" ] || { echo "$1 is no regular file"; exit 1; }
[ ! -e "$2" ] && [ ! -L "$2" ] || { echo "$2 is there already"; exit 1; }
like() { chown "$(stat -c %u:%g "$1")" "$2"; }
`;
const link = `${shared} ln "$1" "$2"; like "$(dirname "$2")" "$2"`;
const copy = `${shared}
trap '[ $? = 0 ] || rm -f "$2"' EXIT
cp --reflink=auto "$1" "$2" 2>/dev/null || cp "$1" "$2"
like "$(dirname "$2")" "$2"; chmod 0644 "$2"; sync "$2"
`;

/** Rights of root by a helper container, which is there while there is something to do. */
export class HelperHands implements Hands {
  readonly #wish: HandsWish;
  #users = 0;
  #helper: Promise<HelperContainer> | undefined;

  constructor(wish: HandsWish) {
    this.#wish = wish;
  }

  async link(from: string, to: string): Promise<boolean> {
    try {
      await this.#run(link, [from, to]);
      return true;
    } catch (error) {
      if (/cross-device|not permitted|not supported|too many links/i.test(reasonOf(error))) return false;
      throw this.#explained(error, from);
    }
  }

  async copy(from: string, to: string): Promise<void> {
    try {
      await this.#run(copy, [from, to]);
    } catch (error) {
      throw this.#explained(error, from);
    }
  }

  async #run(script: string, args: readonly string[]): Promise<void> {
    this.#users += 1;
    this.#helper ??= this.#start();
    const helper = this.#helper;
    try {
      await (await helper).run(script, args, this.#wish.signal);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        this.#helper = undefined;
        await helper.then(
          (started) => started[Symbol.asyncDispose](),
          () => undefined,
        );
      }
    }
  }

  #start(): Promise<HelperContainer> {
    const { engine, folders, ...wish } = this.#wish;
    const mounts = outermost(folders).map((path) => ({
      kind: 'folder' as const,
      path,
      target: path,
      readOnly: false,
    }));
    return HelperContainer.start(engine, { ...wish, mounts });
  }

  #explained(error: unknown, from: string): unknown {
    if (!(error instanceof HelperFailure)) return error;
    const code = /no space left|quota/i.test(error.message) ? 'noSpace' : 'refused';
    return new AixclError(code, `${from} can't be saved by a helper container: ${error.message}`, {
      hint: `ls -l ${shellWord(dirname(from))}`,
      cause: error,
    });
  }
}

/** Those that lie in no other. */
export function outermost(folders: readonly string[]): string[] {
  const all = [...new Set(folders)];
  return all.filter((path) => !all.some((other) => other !== path && isInside(path, other)));
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !way.startsWith('/');
}
