import type { Problem } from '../../api.ts';
import { Hint } from './hint.tsx';

/** All that is known of what went wrong. */
export function ProblemText({ problem }: { readonly problem: Problem }) {
  const { title, detail, hint, evidence } = problem;
  return (
    <div class="problem">
      <p>
        <strong>{title}.</strong> {detail}
      </p>
      {hint !== null && <Hint text={hint} />}
      <Evidence lines={evidence} />
    </div>
  );
}

/** Lines of a log, as they came. */
export function Evidence({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return <pre class="evidence">{lines.join('\n')}</pre>;
}
