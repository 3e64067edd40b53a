import { AixclError } from '../errors.ts';

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
        hint: `--confirm ${name}`,
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
