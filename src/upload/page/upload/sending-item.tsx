import { useState } from 'preact/hooks';
import { bytes } from '../parts/format.ts';
import { useObserved } from '../parts/observed.ts';
import { ProblemText } from '../parts/problem-text.tsx';
import { Progress } from '../parts/progress.tsx';
import type { Sender, Sending } from '../sending/sender.ts';
import type { Senders } from '../sending/senders.ts';
import { useTools } from '../tools.ts';
import { ClearDialog } from './clear-dialog.tsx';
import { sendingText } from './upload-words.ts';

/** A file that this tab sends. */
export function SendingItem({ sender }: { readonly sender: Sender }) {
  const { senders } = useTools();
  const view = useObserved(sender.view);
  const [asking, setAsking] = useState(false);
  const { filename, model } = sender.metadata;
  const { phase, sent, problem } = view;
  const step = nextStep(sender, view, senders);
  // What the server never had leaves nothing behind.
  const cancel = () => (sender.id === null && phase !== 'sending' ? senders.remove(sender) : setAsking(true));
  return (
    <li class="upload">
      <p class="upload-name">
        <span class="name">{filename}</span>
        {model && <span class="muted"> part of {model}</span>}
      </p>
      <Progress label={filename} done={sent} total={sender.file.size} />
      <p class="upload-text">{sendingText(view, sender.file.size, Date.now())}</p>
      {problem && (
        <div role="alert">
          <ProblemText problem={problem} />
        </div>
      )}
      {phase !== 'sent' && (
        <div class="buttons">
          {step && (
            <button type="button" aria-label={`${step.label} ${filename}`} onClick={step.run}>
              {step.label.replace(':', '')}
            </button>
          )}
          <button type="button" class="quiet" aria-label={`Cancel ${filename}`} onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      {asking && (
        <ClearDialog
          title={`Cancel ${filename}?`}
          text={`${bytes(sent)} that were sent are cleared. Pause it instead to go on later.`}
          yes="Cancel the upload"
          no="Go on"
          id={() => sender.id}
          name={filename}
          onClose={() => setAsking(false)}
          onCleared={() => senders.remove(sender)}
        />
      )}
    </li>
  );
}

/** One button for all of them, so that the focus stays on it. */
function nextStep(sender: Sender, { phase, problem }: Sending, senders: Senders) {
  if (phase === 'paused') return { label: 'Resume', run: () => senders.resume(sender) };
  if (phase !== 'stopped') return { label: 'Pause', run: () => sender.pause() };
  const isFinal = problem?.code === 'notFound' || problem?.code === 'usage';
  return isFinal ? null : { label: 'Try again:', run: () => senders.resume(sender) };
}
