import { DotenvError, dotenvStatements } from './dotenv-statements.ts';
import { InterpolationError, interpolate } from './interpolation.ts';

export { DotenvError };

/**
 * Variables of an env file in Compose's dialect: `KEY=value`, `KEY: value`, `export KEY=value`, a bare `KEY` (takes over the value
 * that `lookup` knows, if any), `# comments`. A value in single quotes is taken as it stands but for `\'`; in double quotes it
 * may go over lines, knows the escapes of C and `\$`, and is interpolated; without quotes it ends at the line's end or at ` #`, and is
 * interpolated. Interpolation asks `lookup` first, then the variables above it in the file, then those of `earlier` files.
 * @throws DotenvError
 */
export function parseDotenv(
  source: string,
  lookup: (name: string) => string | undefined = () => undefined,
  earlier: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const result = new Map<string, string>();
  const get = (name: string) => lookup(name) ?? result.get(name) ?? earlier.get(name);
  for (const { key, value, quote, line } of dotenvStatements(source)) {
    if (value === undefined) {
      const outer = lookup(key);
      if (outer !== undefined) result.set(key, outer);
    } else if (quote === "'") {
      result.set(key, value);
    } else {
      result.set(key, expand(quote === '"' ? expandEscapes(value) : value, get, line));
    }
  }
  // Compose skips names that a shell could not hold.
  for (const key of result.keys()) if (/^\s*\d/.test(key)) result.delete(key);
  return result;
}

function expand(value: string, get: (name: string) => string | undefined, line: number): string {
  try {
    return interpolate(value, { get });
  } catch (error) {
    if (error instanceof InterpolationError) throw new DotenvError(line, error.message);
    throw error;
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
