/** An env file that can't be read; `line` counts from 1. */
export class DotenvError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'DotenvError';
    this.line = line;
  }
}

export interface DotenvStatement {
  readonly key: string;
  /** Without quotes, and with `\\` and `$` as written; absent for a name alone. */
  readonly value?: string;
  readonly quote?: '"' | "'";
  /** From 1. */
  readonly line: number;
  /** Where the value stands in the source, quotes included; for a name alone, the empty place behind it. */
  readonly start: number;
  readonly end: number;
}

/**
 * The assignments of an env file in their order.
 * @throws DotenvError
 */
export function dotenvStatements(source: string): DotenvStatement[] {
  const scanner = new Scanner(source);
  const statements: DotenvStatement[] = [];
  for (let found = scanner.next(); found; found = scanner.next()) statements.push(found);
  return statements;
}

class Scanner {
  readonly #source: string;
  #offset: number;

  constructor(source: string) {
    this.#source = source;
    this.#offset = source.startsWith('\uFEFF') ? 1 : 0;
  }

  next(): DotenvStatement | undefined {
    this.#skipBlanksAndComments();
    if (this.#offset === this.#source.length) return undefined;
    const { line } = this;
    const key = this.#key();
    const place = { start: this.#offset, end: this.#offset };
    const separator = this.#source[this.#offset];
    if (separator !== '=' && separator !== ':') return { key, line, ...place };
    this.#offset++;
    this.#take(/[^\S\n]*/y);
    return { key, line, ...this.#value() };
  }

  get line(): number {
    return this.#source.slice(0, this.#offset).split('\n').length;
  }

  #skipBlanksAndComments(): void {
    do this.#take(/\s*/y);
    while (this.#source[this.#offset] === '#' && this.#take(/[^\n]*/y));
  }

  #key(): string {
    this.#take(/export[^\S\n]+/y);
    const key = this.#take(/[^=:\n]*/y).trim();
    const stranger = /[^\p{L}\p{N}_.[\]\s-]/u.exec(key)?.[0];
    if (stranger) {
      throw new DotenvError(this.line, `unexpected character ${JSON.stringify(stranger)} in the name ${key}`);
    }
    if (/\s/.test(key)) throw new DotenvError(this.line, `a space in the name ${JSON.stringify(key)}`);
    return key;
  }

  #value(): Required<Pick<DotenvStatement, 'value' | 'start' | 'end'>> & Pick<DotenvStatement, 'quote'> {
    const start = this.#offset;
    const quote = this.#source[start];
    if (quote !== '"' && quote !== "'") {
      const value = this.#take(/[^\n]*/y)
        .split(' #', 1)[0]!
        .trimEnd();
      return { value, start, end: start + value.length };
    }
    const { line } = this;
    const body = this.#take(quote === '"' ? /"(?:\\[\s\S]|[^"\\])*"/y : /'(?:\\[\s\S]|[^'\\])*'/y);
    if (body === '') throw new DotenvError(line, `a value whose ${quote} is not closed`);
    const value = body.slice(1, -1).replaceAll(`\\${quote}`, quote);
    return { value, quote, start, end: this.#offset };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#source)?.[0] ?? '';
    this.#offset += match.length;
    return match;
  }
}
