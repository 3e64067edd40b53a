import { AixclError, reasonOf } from '../../errors.ts';
import type { Paint } from '../context.ts';
import { oneLine, plain } from './plain.ts';

/** What a failed command prints on stderr. Never a stack without `--debug`. */
export function errorText(
  error: unknown,
  options: { format: 'table' | 'json'; debug: boolean; paint: Paint },
): string {
  const known = error instanceof AixclError ? error : undefined;
  const stack = options.debug && error instanceof Error ? causes(error) : undefined;
  if (options.format === 'json') {
    return JSON.stringify({
      type: 'error',
      code: known?.code ?? 'unexpected',
      message: reasonOf(error),
      hint: known?.hint ?? null,
      ...(known && known.evidence.length > 0 && { evidence: known.evidence }),
      ...(stack && { stack }),
    });
  }
  const hint = known ? known.hint : 'Run it again with --debug to see where it comes from.';
  return [
    `${options.paint.bad('error:')} ${plain(reasonOf(error))}`,
    ...(known?.evidence ?? []).map((line) => `  ${options.paint.dim('|')} ${oneLine(line)}`),
    ...(hint ? [`${options.paint.bold('next:')} ${plain(hint)}`] : []),
    ...(stack ? [plain(stack)] : []),
  ].join('\n');
}

function causes(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${causes(error.cause)}` : own;
}
