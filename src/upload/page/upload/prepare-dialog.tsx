import { useRef, useState } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { bytes, count } from '../parts/format.ts';
import { useObserved } from '../parts/observed.ts';
import { useTools } from '../tools.ts';
import { type Draft, draftOf, faultsOf, metadataOf, type Room, roomFor, takerOf } from './draft.ts';
import { DraftFields } from './draft-fields.tsx';
import { apart, propose } from './grouping.ts';

interface Asked {
  readonly files: readonly File[];
  /** What else was chosen, and why it is left out; a sentence each. */
  readonly leftOut: readonly string[];
  readonly onClose: () => void;
}

/** What is going to be uploaded under which names: asked before a byte is sent. */
export function PrepareDialog({ files, leftOut, onClose }: Asked) {
  const { connection, senders } = useTools();
  const state = useObserved(connection.state)!;
  const [drafts, setDrafts] = useState<readonly Draft<File>[]>(() => propose(files).map(draftOf));
  const [checked, setChecked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const faults = drafts.map((draft) => faultsOf(draft, drafts, state));
  const going = drafts.filter(({ answer }) => answer !== 'skip');
  const room = roomFor(drafts, state);
  const fits = room.needed <= room.free;

  const upload = (event: Event) => {
    event.preventDefault();
    setChecked(true);
    if (faults.some((fault) => Object.keys(fault).length > 0)) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[data-fault]')?.focus());
      return;
    }
    if (!fits || going.length === 0) return;
    onClose();
    for (const draft of going) {
      for (const file of draft.proposal.files) senders.add(file, metadataOf(draft, file));
    }
  };
  const exchange = (old: Draft<File>, ...fresh: Draft<File>[]) =>
    setDrafts(drafts.flatMap((draft) => (draft === old ? fresh : [draft])));

  return (
    <Dialog title={`Upload ${count(files.length, 'file')}`} onClose={onClose}>
      <form ref={form} noValidate onSubmit={upload}>
        {drafts.map((draft, index) => (
          <DraftFields
            key={draft.proposal.files[0]?.name}
            draft={draft}
            faults={checked ? faults[index]! : {}}
            state={state}
            onChange={(changed) => exchange(draft, changed)}
            onSplit={() => exchange(draft, ...apart(draft.proposal).map(draftOf))}
          />
        ))}
        {leftOut.length > 0 && <p class="fault">Left out: {leftOut.join(' ')}</p>}
        <RoomText room={room} />
        <div class="buttons">
          <button
            type="submit"
            class="primary"
            autofocus={!drafts.some((draft) => takerOf(draft, draft.name, state))}
            disabled={!fits || going.length === 0}
          >
            Upload
          </button>
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function RoomText({ room }: { readonly room: Room }) {
  const { needed, free, total } = room;
  const left = free - needed;
  return (
    <div role="status" class="room">
      {left < 0 ? (
        <p class="fault">
          Not enough space: {bytes(needed)} are needed, and {bytes(free)} are free. Delete models that you do
          not need, or leave files out.
        </p>
      ) : (
        <p class="muted">
          {bytes(needed)} of {bytes(free)} free.
          {left < total / 10 && ' After it less than a tenth of the disk is left.'}
        </p>
      )}
    </div>
  );
}
