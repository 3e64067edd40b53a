import type { Removal } from '../../api.ts';
import { remove } from '../actions.ts';
import { Answers } from '../parts/answers.tsx';
import { useAnswer } from '../parts/asked.ts';
import { Dialog } from '../parts/dialog.tsx';
import { bytes, count } from '../parts/format.ts';
import { ProblemText } from '../parts/problem-text.tsx';
import { useTools } from '../tools.ts';
import { takingOf } from './model-words.ts';

interface Asked {
  readonly name: string;
  readonly onClose: () => void;
}

/** What goes and how it is kept, before it goes. */
export function RemovalDialog({ name, onClose }: Asked) {
  const tools = useTools();
  const { answer, problem } = useAnswer<Removal>(`/api/models/${encodeURIComponent(name)}/removal`);
  const refused = problem ?? answer?.refused ?? null;
  const ready = answer !== null && refused === null;
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <div aria-live="polite">
        {answer === null && problem === null && <p>Looking at it…</p>}
        {ready && <WhatGoes removal={answer} />}
        {refused && <ProblemText problem={refused} />}
      </div>
      <Answers
        yes="Delete"
        tone="danger"
        disabled={!ready}
        onYes={() => {
          onClose();
          remove(tools, name);
        }}
        onNo={onClose}
      />
    </Dialog>
  );
}

function WhatGoes({ removal }: { readonly removal: Removal }) {
  const { size, files, heldUntil, damage } = removal;
  const until = new Date(heldUntil).toLocaleDateString('en', { dateStyle: 'long' });
  return (
    <ul>
      <li>
        {bytes(size)} in {count(files.length, 'file')} go{files.length > 1 ? '' : 'es'} from the models
        folder.
      </li>
      <li>{takingOf(removal)}</li>
      <li>
        The backup is held until <time dateTime={heldUntil}>{until}</time> at least, and brings it back bit
        for bit.
      </li>
      {damage !== null && <li>It is damaged: {damage}. Its backup is kept, and is no good copy.</li>}
    </ul>
  );
}
