import type { Scalar } from './node.ts';

const words: Readonly<Record<string, boolean | null>> = {
  '': null,
  '~': null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
};

/**
 * What a plain (unquoted) YAML scalar means to Compose, whose YAML library (go-yaml 3) reads YAML 1.2 and the octals and
 * underscores of 1.1: `0755` is 493, `1_000` is 1000, `yes` and `22:22` are strings. `text` is the value as Go prints it.
 */
export function resolvePlain(source: string): { readonly value: Scalar; readonly text: string } {
  const word = words[source];
  if (word !== undefined && Object.hasOwn(words, source)) {
    return { value: word, text: word === null ? '' : String(word) };
  }
  if (!/^[-+.0-9]/.test(source)) return { value: source, text: source };
  const plain = source.replaceAll('_', '');
  const integer = parseInteger(plain);
  if (integer !== undefined) return { value: Number(integer), text: String(integer) };
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) {
    const number = Number(plain);
    return { value: number, text: printFloat(number) };
  }
  return { value: source, text: source };
}

function parseInteger(plain: string): bigint | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(plain);
  if (!match) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal!;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

/** Go's `%v` of a float64: like JavaScript's, but with an exponent already below 1e-4 and of two digits at least. */
function printFloat(number: number): string {
  const magnitude = Math.abs(number);
  const printed = magnitude !== 0 && magnitude < 1e-4 ? number.toExponential() : String(number);
  return printed.replace(/e([-+])(\d)$/, 'e$10$2');
}
