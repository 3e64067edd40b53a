import { readFileSync } from 'node:fs';
import { reasonOf, systemCode } from '../../errors.ts';
import { DotenvError, parseDotenv } from './dotenv.ts';
import { child, entries, items, type Node, text } from './node.ts';
import { ValueReader } from './read-value.ts';
import { absolutePath, type Setting } from './setting.ts';

/**
 * The final environment of a service: its env files in their order, then `environment`. A name without a value takes that of the
 * surrounding environment; where that has none it is null, and takes away what the image sets.
 */
export function buildEnvironment(
  environment: Node | undefined,
  envFiles: Node | undefined,
  active: boolean,
  setting: Setting,
): Map<string, string | null> {
  const own = new Map<string, string | undefined>();
  for (const [key, { value }] of entries(environment)) own.set(key, text(value) ?? setting.env[key]);
  const earlier = new Map<string, string>();
  for (const file of items(envFiles)) {
    for (const [key, value] of readEnvFile(file, active, { own, earlier }, setting)) earlier.set(key, value);
  }
  const result = new Map<string, string | null>(earlier);
  for (const [key, value] of own) result.set(key, value ?? null);
  return result;
}

function readEnvFile(
  file: Node,
  active: boolean,
  known: { own: ReadonlyMap<string, string | undefined>; earlier: ReadonlyMap<string, string> },
  setting: Setting,
): Map<string, string> {
  const { problems } = setting;
  const written = text(child(file, 'path'));
  if (!written) {
    problems.add(file.at, 'an env file without path');
    return new Map();
  }
  const required = new ValueReader(problems).flag(child(file, 'required')) ?? true;
  const format = text(child(file, 'format'));
  if (format !== undefined && format !== 'raw') {
    problems.add(child(file, 'format')!.at, `"${format}": must be raw, or left out`);
  }
  const path = absolutePath(written, setting);
  try {
    const source = readFileSync(path, 'utf8');
    if (format === 'raw') return parseRaw(source);
    return parseDotenv(source, (name) => setting.env[name] ?? known.own.get(name), known.earlier);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      if (required && active) {
        problems.add(file.at, `env file ${path} is not there`, 'create it, or set "required: false"');
      }
    } else if (error instanceof DotenvError) {
      problems.add(file.at, `${path}:${error.line}: ${error.message}`);
    } else {
      problems.add(file.at, `env file ${path} can't be read: ${reasonOf(error)}`);
    }
    return new Map();
  }
}

/** As `docker run --env-file` reads it: everything after `=` is the value. */
function parseRaw(source: string): Map<string, string> {
  const result = new Map<string, string>();
  for (const line of source.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const equals = line.indexOf('=');
    if (equals > 0 && !/^\s*#/.test(line))
      result.set(line.slice(0, equals).trimStart(), line.slice(equals + 1));
  }
  return result;
}
