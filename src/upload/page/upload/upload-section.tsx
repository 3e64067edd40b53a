import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageState } from '../../api.ts';
import { ownProblem, Refusal } from '../server/refusal.ts';
import { useTools } from '../tools.ts';
import { goOn, wrongFile } from './looked-at.ts';
import { PrepareDialog } from './prepare-dialog.tsx';
import { UploadList } from './upload-list.tsx';

export function UploadSection({ state }: { readonly state: PageState }) {
  const tools = useTools();
  const [files, setFiles] = useState<readonly File[]>([]);

  const choose = async (chosen: readonly File[]) => {
    const looked = await Promise.all(chosen.map(async (file) => ({ file, wrong: await wrongFile(file) })));
    const wrong = looked.filter((each) => each.wrong !== null);
    if (wrong.length > 0) {
      const detail = wrong.map((each) => `${each.file.name}: ${each.wrong}.`).join(' ');
      const problem = ownProblem('usage', 'Only GGUF files belong here', detail);
      tools.notices.bad('chosen', 'Left out of the upload.', new Refusal(problem));
    }
    const right = looked.flatMap((each) => (each.wrong === null ? [each.file] : []));
    const now = tools.connection.state.value ?? state;
    setFiles(goOn(right, now, tools.senders));
  };

  return (
    <section aria-labelledby="upload">
      <h2 id="upload">Upload</h2>
      <DropZone onFiles={choose} />
      <UploadList uploads={state.uploads} />
      {files.length > 0 && <PrepareDialog files={files} onClose={() => setFiles([])} />}
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
  readonly multiple?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A file field that looks like a button. */
export function FileButton({ id, label, multiple = false, onFiles }: Button) {
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
      </label>
    </span>
  );
}
