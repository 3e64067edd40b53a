import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { DotenvError, dotenvStatements } from './dotenv-statements.ts';

const head = '# Read by aixcl and by docker compose. aixcl writes its own keys only.\n';

/**
 * Sets `values` in the env file at `path` and leaves every other byte as it is: comments, order, line ends, other keys. The file is replaced
 * whole (temporary file, fsync, rename, fsync of the directory) and keeps its mode and owner; a new one is for the owner of its folder alone.
 * A link is followed. Answers whether something changed.
 * @throws AixclError `usage` where the file is no env file.
 */
export async function updateEnvFile(
  path: string,
  values: Readonly<Record<string, string>>,
): Promise<boolean> {
  const target = await realpath(path).catch(() => path);
  const before = await readIfThere(target);
  let after: string;
  try {
    after = setInEnv(before ?? head, values);
  } catch (error) {
    if (!(error instanceof DotenvError)) throw error;
    throw new AixclError('usage', `${path}:${error.line}: ${error.message}`, { hint: `mend ${path}` });
  }
  if (after === before) return false;
  await replace(target, after);
  return true;
}

/** The text of an env file with `values` set in it. */
export function setInEnv(source: string, values: Readonly<Record<string, string>>): string {
  let result = source;
  for (const [key, value] of Object.entries(values)) {
    // Of several assignments the last one counts.
    const found = dotenvStatements(result).findLast((statement) => statement.key === key);
    if (found) {
      const written = found.value === undefined ? `=${quoted(value)}` : quoted(value);
      result = result.slice(0, found.start) + written + result.slice(found.end);
    } else {
      const end = result.includes('\r\n') ? '\r\n' : '\n';
      const gap = result === '' || result.endsWith('\n') ? '' : end;
      result += `${gap}${key}=${quoted(value)}${end}`;
    }
  }
  return result;
}

/** The plainest spelling that Compose and aixcl read back as `value`. */
function quoted(value: string): string {
  // An empty value needs its quotes: else a comment behind it would become the value.
  if (/^[\w./:@%+,=-]+$/.test(value)) return value;
  // In single quotes nothing is special but the quote, and there is no way to end with a backslash.
  if (!/[\\\n\r]/.test(value)) return `'${value.replaceAll("'", "\\'")}'`;
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('$', '\\$')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `"${escaped}"`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function replace(path: string, content: string): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  const temporary = join(dirname(path), `.env-${randomBytes(6).toString('hex')}`);
  try {
    // What lets you in elsewhere may stand there (HF_TOKEN).
    await using file = await open(temporary, 'wx', 0o600);
    const { uid, gid } = old ?? (await stat(dirname(path)));
    if (process.getuid?.() === 0) await file.chown(uid, gid);
    if (old) await file.chmod(old.mode & 0o7777);
    await file.writeFile(content);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await using directory = await open(dirname(path));
  await directory.sync();
}
