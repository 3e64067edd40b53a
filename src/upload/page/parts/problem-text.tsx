import type { Problem } from '../../api.ts';
import { Hint } from './hint.tsx';

interface Shown {
  readonly problem: Problem;
  /** Under words that say what failed: no title, and the lines when they are asked for. */
  readonly brief?: boolean;
}

/** All that is known of what went wrong. */
export function ProblemText({ problem, brief = false }: Shown) {
  const { title, detail, hint, evidence } = problem;
  return (
    <div class="problem">
      <p>
        {!brief && <strong>{title}.</strong>} {detail}
      </p>
      {hint !== null && <Hint text={hint} />}
      {brief && evidence.length > 0 ? (
        <details>
          <summary>Last lines</summary>
          <Evidence lines={evidence} />
        </details>
      ) : (
        <Evidence lines={evidence} />
      )}
    </div>
  );
}

/** Lines of a log, as they came. */
export function Evidence({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return <pre class="evidence">{lines.join('\n')}</pre>;
}
