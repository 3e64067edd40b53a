import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageState } from '../../api.ts';
import { ownProblem, Refusal } from '../server/refusal.ts';
import { useTools } from '../tools.ts';
import { goOn, wrongFile } from './looked-at.ts';
import { PrepareDialog } from './prepare-dialog.tsx';
import { UploadList } from './upload-list.tsx';

interface Chosen {
  readonly files: readonly File[];
  /** Why others of them are none that belong here, a sentence each. */
  readonly leftOut: readonly string[];
}

export function UploadSection({ state }: { readonly state: PageState }) {
  const tools = useTools();
  const [chosen, setChosen] = useState<Chosen | null>(null);

  const choose = async (files: readonly File[]) => {
    const looked = await Promise.all(files.map(async (file) => ({ file, wrong: await wrongFile(file) })));
    const leftOut = looked.flatMap(({ file, wrong }) => (wrong === null ? [] : [`${file.name}: ${wrong}.`]));
    const right = looked.flatMap(({ file, wrong }) => (wrong === null ? [file] : []));
    const fresh = goOn(right, tools.connection.state.value ?? state, tools.senders);
    if (fresh.length > 0) return setChosen({ files: fresh, leftOut });
    if (leftOut.length === 0) return;
    const problem = ownProblem('usage', 'Only GGUF files belong here', leftOut.join(' '));
    tools.notices.bad('chosen', 'Nothing is uploaded.', new Refusal(problem));
  };

  return (
    <section aria-labelledby="upload">
      <h2 id="upload">Upload</h2>
      <DropZone onFiles={choose} />
      <UploadList uploads={state.uploads} />
      {chosen && <PrepareDialog {...chosen} onClose={() => setChosen(null)} />}
    </section>
  );
}

/** Files may be dropped anywhere on the page: beside the zone the browser would leave the page for them. */
function DropZone({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const [over, setOver] = useState(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    const onOver = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(!document.querySelector('dialog[open]'));
    };
    const onLeave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const onDrop = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(false);
      if (!document.querySelector('dialog[open]')) latest.current([...event.dataTransfer.files]);
    };
    addEventListener('dragover', onOver);
    addEventListener('dragleave', onLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('dragleave', onLeave);
      removeEventListener('drop', onDrop);
    };
  }, []);
  return (
    <div class={over ? 'drop over' : 'drop'}>
      <p class="drop-title">Drop GGUF files here</p>
      <p class="muted">Several at once make several models; the parts of one model make one.</p>
      <FileButton id="choose-files" label="Choose files" multiple onFiles={onFiles} />
    </div>
  );
}

interface Button {
  readonly id: string;
  readonly label: string;
  /** For those who hear the label alone. */
  readonly about?: string;
  readonly multiple?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A file field that looks like a button. */
export function FileButton({ id, label, about, multiple = false, onFiles }: Button) {
  return (
    <span class="file-button">
      <input
        id={id}
        type="file"
        accept=".gguf"
        multiple={multiple}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // Else choosing the same file once more would be no change.
          currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
      <label for={id} class="button">
        {label}
        {about && <span class="unseen">: {about}</span>}
      </label>
    </span>
  );
}
