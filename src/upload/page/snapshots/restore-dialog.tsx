import type { PageSnapshot, Restoration } from '../../api.ts';
import { restore } from '../actions.ts';
import { Answers } from '../parts/answers.tsx';
import { useAnswer } from '../parts/asked.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ProblemText } from '../parts/problem-text.tsx';
import { useTools } from '../tools.ts';

interface Asked {
  readonly snapshot: PageSnapshot;
  readonly onClose: () => void;
}

/** What is put where, and what is saved first. */
export function RestoreDialog({ snapshot, onClose }: Asked) {
  const tools = useTools();
  const path = `/api/backups/${encodeURIComponent(snapshot.id)}/restoration`;
  const { answer, problem } = useAnswer<Restoration>(path);
  const isThere = answer?.standing === 'same';
  return (
    <Dialog title={`Restore ${snapshot.model}?`} onClose={onClose}>
      <div aria-live="polite">
        {answer === null && problem === null && <p>Looking at it…</p>}
        {problem && <ProblemText problem={problem} />}
        {isThere && <p>These very bytes stand there already: there is nothing to do.</p>}
        {answer && !isThere && (
          <ol>
            {answer.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        )}
      </div>
      <Answers
        yes="Restore"
        tone="primary"
        disabled={answer === null || isThere}
        onYes={() => {
          onClose();
          restore(tools, snapshot);
        }}
        onNo={onClose}
      />
    </Dialog>
  );
}
