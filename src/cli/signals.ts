import { AixclError, exitCodes } from '../errors.ts';

/** A signal that is aborted, with the error to end with, by Ctrl-C or SIGTERM. A second one ends the process at once. */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (code: 'interrupted' | 'terminated', by: string) => () => {
    if (controller.signal.aborted) process.exit(exitCodes[code]);
    const hint = 'Run the same command again: it goes on from where things stand.';
    controller.abort(new AixclError(code, `stopped by ${by}`, { hint }));
  };
  process.on('SIGINT', interrupt('interrupted', 'Ctrl-C'));
  process.on('SIGTERM', interrupt('terminated', 'SIGTERM'));
  return controller.signal;
}

/** A reader that went away (`aixcl ls | head -1`) is no error. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    process.stderr.write(`error: stdout can't be written: ${error.message}\n`);
    process.exit(exitCodes.unexpected);
  });
}
