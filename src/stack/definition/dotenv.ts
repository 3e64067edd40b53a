import { InterpolationError, interpolate } from './interpolation.ts';

/** An env file that can't be read; `line` counts from 1. */
export class DotenvError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'DotenvError';
    this.line = line;
  }
}

/**
 * Variables of an env file in Compose's dialect: `KEY=value`, `KEY: value`, `export KEY=value`, a bare `KEY` (takes over the value
 * that `lookup` knows, if any), `# comments`. A value in single quotes is taken as it stands but for `\'`; in double quotes it
 * may go over lines, knows the escapes of C and `\$`, and is interpolated; without quotes it ends at the line's end or at ` #`, and is
 * interpolated. Interpolation asks `lookup` first, then the file's own earlier variables.
 * @throws DotenvError
 */
export function parseDotenv(
  source: string,
  lookup: (name: string) => string | undefined = () => undefined,
  missing?: (name: string) => void,
): Map<string, string> {
  const result = new Map<string, string>();
  const get = (name: string) => lookup(name) ?? result.get(name);
  const scanner = new Scanner(source.replace(/^\uFEFF/, ''));
  const expand = (value: string) => {
    try {
      return interpolate(value, missing ? { get, missing } : { get });
    } catch (error) {
      if (error instanceof InterpolationError) throw new DotenvError(scanner.line, error.message);
      throw error;
    }
  };
  while (scanner.nextStatement()) {
    const { key, inherited } = scanner.key();
    if (inherited) {
      const value = lookup(key);
      if (value !== undefined) result.set(key, value);
      continue;
    }
    const { value, quote } = scanner.value();
    result.set(key, quote === "'" ? value : expand(quote === '"' ? expandEscapes(value) : value));
  }
  // Compose skips names that a shell could not hold.
  for (const key of result.keys()) if (/^\s*\d/.test(key)) result.delete(key);
  return result;
}

class Scanner {
  readonly #source: string;
  #offset = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get line(): number {
    return this.#source.slice(0, this.#offset).split('\n').length;
  }

  /** Skips blanks and comments; false at the end. */
  nextStatement(): boolean {
    for (;;) {
      this.#skip(/\s*/y);
      if (this.#source[this.#offset] !== '#') return this.#offset < this.#source.length;
      this.#skip(/[^\n]*/y);
    }
  }

  key(): { key: string; inherited: boolean } {
    this.#skip(/export[^\S\n]+/y);
    const written = this.#take(/[^=:\n]*/y);
    const separator = this.#source[this.#offset];
    const key = written.trim();
    const stranger = /[^\p{L}\p{N}_.[\]\s-]/u.exec(key)?.[0];
    if (stranger) {
      throw new DotenvError(this.line, `unexpected character ${JSON.stringify(stranger)} in the name ${key}`);
    }
    if (/\s/.test(key)) throw new DotenvError(this.line, `a space in the name ${JSON.stringify(key)}`);
    if (separator !== '=' && separator !== ':') return { key, inherited: true };
    this.#offset++;
    this.#skip(/[^\S\n]*/y);
    return { key, inherited: false };
  }

  value(): { value: string; quote?: string } {
    const quote = this.#source[this.#offset];
    if (quote !== '"' && quote !== "'") {
      const line = this.#take(/[^\n]*/y);
      return { value: line.split(' #', 1)[0]!.trimEnd() };
    }
    const start = this.line;
    const body = this.#take(quote === '"' ? /"(?:\\[\s\S]|[^"\\])*"/y : /'(?:\\[\s\S]|[^'\\])*'/y);
    if (body === '') throw new DotenvError(start, `a value whose ${quote} is not closed`);
    return { value: body.slice(1, -1).replaceAll(`\\${quote}`, quote), quote };
  }

  #skip(pattern: RegExp): void {
    this.#take(pattern);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#source)?.[0] ?? '';
    this.#offset += match.length;
    return match;
  }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  // Interpolation, which follows, makes one of the two.
  $: '$$',
};

function expandEscapes(value: string): string {
  return value.replace(/\\([abcfnrtv$"\\]|0\d{0,3})/g, (match, code: string) => {
    if (code.startsWith('0')) {
      return /^0[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : match;
    }
    return escapes[code] ?? match;
  });
}
