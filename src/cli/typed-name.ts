import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';

/** Has each name given back: by `--confirm`, or typed. */
export async function givenBack(
  names: readonly string[],
  given: readonly string[],
  {
    question,
    ...how
  }: {
    readonly question: (name: string) => string;
    readonly interactive: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const missing = names.filter((name) => !given.includes(name));
  const [first] = missing;
  if (first !== undefined && given.length > 0) {
    throw new AixclError('refused', `--confirm ${given.join(' ')} is not ${first}, so nothing was changed`, {
      hint: missing.map((name) => `--confirm ${shellWord(name)}`).join(' '),
    });
  }
  for (const name of missing) await typedName(question(name), name, how);
}

/**
 * Has the user type a name before something can't be undone; `--yes` does not stand for it. Throws `refused` for another answer, and where
 * nobody can be asked.
 */
export async function typedName(
  question: string,
  name: string,
  { interactive, signal }: { readonly interactive: boolean; readonly signal: AbortSignal },
): Promise<void> {
  if (!interactive) {
    throw new AixclError(
      'refused',
      `${name} has to be given back, and nobody can be asked here; nothing was changed`,
      {
        hint: `--confirm ${shellWord(name)}`,
      },
    );
  }
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  const { typed } = await prompt<{ typed: string }>([
    { type: 'input', name: 'typed', message: question },
  ]).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ExitPromptError')
      throw signal.reason ?? new AixclError('interrupted', 'interrupted');
    throw error;
  });
  if (typed.trim() !== name) throw new AixclError('refused', 'that is not the name, so nothing was changed');
}
