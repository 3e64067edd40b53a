import { useState } from 'preact/hooks';
import type { PageUpload } from '../../api.ts';
import { bytes } from '../parts/format.ts';
import { ProblemText } from '../parts/problem-text.tsx';
import { Progress } from '../parts/progress.tsx';
import { Time } from '../parts/time.tsx';
import { rememberedOf } from '../sending/remembered.ts';
import { otherFile } from '../sending/same-file.ts';
import { ownProblem, Refusal } from '../server/refusal.ts';
import { useTools } from '../tools.ts';
import { ClearDialog } from './clear-dialog.tsx';
import { ReplaceDialog } from './replace-dialog.tsx';
import { FileButton } from './upload-section.tsx';
import { phaseText, type SentBy } from './upload-words.ts';

interface Left {
  readonly upload: PageUpload;
  readonly sender: SentBy;
}

/** An upload that this tab does not send: its sender is gone, or its bytes are here and it is no model yet. */
export function LeftItem({ upload, sender }: Left) {
  const { connection, notices, senders } = useTools();
  const [asking, setAsking] = useState<'clear' | 'replace' | null>(null);
  const { id, file, model, parts, size, received, phase, checked, problem, touched } = upload;
  const goOn = ([chosen]: readonly File[]) => {
    const why = chosen && otherFile(chosen, upload, rememberedOf(id));
    if (why) {
      const refused = new Refusal(ownProblem('usage', 'Another file', `${chosen.name}: ${why}.`));
      return notices.bad(id, `${file} does not go on.`, refused);
    }
    notices.take(id);
    if (chosen) senders.add(chosen, { filename: file, ...(parts && { model }) }, upload);
  };
  const check = () =>
    connection
      .request('POST', `/api/uploads/${encodeURIComponent(id)}/check`)
      .catch((error) => notices.bad(id, `${file} is not checked again.`, error));
  return (
    <li class="upload">
      <p class="upload-name">
        <span class="name">{file}</span>
        {model !== file && <span class="muted"> part of {model}</span>}
      </p>
      <Progress
        label={phase === 'checking' ? `${file}, checked` : file}
        done={phase === 'checking' ? checked : received}
        total={size}
      />
      <p class="upload-text">
        {phaseText(upload, sender)}
        {phase === 'receiving' && sender !== 'elsewhere' && (
          <span class="muted">
            {' '}
            Last byte <Time at={touched} />.
          </span>
        )}
      </p>
      {problem && (
        <div role="alert">
          <ProblemText problem={problem} />
        </div>
      )}
      <div class="buttons">
        {phase === 'receiving' && sender === 'here' && (
          <FileButton id={`again-${id}`} label="Choose the file again" about={file} onFiles={goOn} />
        )}
        {phase === 'exists' && (
          <button type="button" aria-label={`Replace ${model}`} onClick={() => setAsking('replace')}>
            Replace…
          </button>
        )}
        {phase === 'refused' && (
          <button type="button" aria-label={`Check again: ${file}`} onClick={check}>
            Check again
          </button>
        )}
        {phase !== 'checking' && sender !== 'elsewhere' && (
          <button type="button" class="quiet" aria-label={`Clear ${file}`} onClick={() => setAsking('clear')}>
            Clear…
          </button>
        )}
      </div>
      {asking === 'clear' && (
        <ClearDialog
          title={`Clear ${file}?`}
          text={`${bytes(received)} that came of it are deleted, and nothing keeps them. The file that you uploaded stays where it is.`}
          yes="Clear"
          no="Cancel"
          id={() => id}
          name={file}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === 'replace' && <ReplaceDialog upload={upload} onClose={() => setAsking(null)} />}
    </li>
  );
}
