import { AixclError } from '../errors.ts';

export interface ConfirmOptions {
  readonly yes: boolean;
  readonly interactive: boolean;
  readonly signal: AbortSignal;
}

/** Asks on stderr; the default is no. Throws `refused` on no, and where nobody can be asked. */
export async function confirm(question: string, { yes, interactive, signal }: ConfirmOptions): Promise<void> {
  if (yes) return;
  if (!interactive) {
    throw new AixclError('refused', `${question} Nobody can be asked here, so nothing was changed`, {
      hint: 'Run it at a terminal, or with --yes.',
    });
  }
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  const answer = await prompt<{ agreed: boolean }>([
    { type: 'confirm', name: 'agreed', message: question, default: false },
  ]).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ExitPromptError')
      throw signal.reason ?? new AixclError('interrupted', 'interrupted');
    throw error;
  });
  if (!answer.agreed) throw new AixclError('refused', 'not agreed to, so nothing was changed');
}
