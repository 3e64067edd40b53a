import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError, reasonOf, systemCode } from '../errors.ts';
import { homeRoot } from '../home.ts';
import type { GlobalFlags } from './context.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The process environment over the files of `--env-file` over the home's `.env`. */
export async function environment(flags: GlobalFlags): Promise<Environment> {
  const own = await variablesOf(join(homeRoot(process.env), '.env'), {}, { required: false });
  // Written for plain docker compose. Which home this is was decided before the file was found: it may have been moved.
  const { AIXCL_HOME: _home, COMPOSE_FILE: _files, COMPOSE_PROJECT_NAME: project, ...rest } = own;
  // A stack of the user's own has a name of its own.
  let found: Environment = flags.files.length > 0 ? rest : { ...rest, COMPOSE_PROJECT_NAME: project };
  const [first] = flags.files;
  // As Compose does, where no --env-file is given.
  if (first && flags.envFiles.length === 0) {
    found = { ...found, ...(await variablesOf(join(dirname(first), '.env'), found, { required: false })) };
  }
  for (const file of flags.envFiles)
    found = { ...found, ...(await variablesOf(file, found, { required: true })) };
  return { ...found, ...process.env };
}

/** Variables of one env file; `known` are those that it may refer to. */
async function variablesOf(
  file: string,
  known: Environment,
  { required }: { required: boolean },
): Promise<Environment> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!required && systemCode(error) === 'ENOENT') return '';
    throw new AixclError('usage', `${file} can't be read: ${reasonOf(error)}`, {
      hint: 'Mend the path, or leave it out.',
    });
  });
  if (source.trim() === '') return {};
  const { DotenvError, parseDotenv } = await import('../stack/definition/dotenv.ts');
  try {
    return Object.fromEntries(parseDotenv(source, (name) => process.env[name] ?? known[name]));
  } catch (error) {
    if (error instanceof DotenvError) {
      throw new AixclError('usage', `${file}:${error.line}: ${error.message}`, { hint: `Mend ${file}.` });
    }
    throw error;
  }
}
