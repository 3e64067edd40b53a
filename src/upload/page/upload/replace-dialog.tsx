import type { PageUpload } from '../../api.ts';
import { Answers } from '../parts/answers.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { bytes } from '../parts/format.ts';
import { useTools } from '../tools.ts';

interface Asked {
  readonly upload: PageUpload;
  readonly onClose: () => void;
}

/** The name of what was uploaded was taken meanwhile. */
export function ReplaceDialog({ upload, onClose }: Asked) {
  const { connection, notices } = useTools();
  const { id, model, size } = upload;
  const standing = connection.state.value?.models.find(
    ({ name, runtime }) => name === model && runtime === 'llama-server',
  );
  const replace = async () => {
    onClose();
    try {
      await connection.request('POST', `/api/uploads/${encodeURIComponent(id)}/replace`);
    } catch (error) {
      notices.bad(id, `${model} is not replaced.`, error);
    }
  };
  return (
    <Dialog title={`Replace ${model}?`} onClose={onClose}>
      <ul>
        <li>The one that is there{standing && `, ${bytes(standing.size)},`} is kept as a backup.</li>
        <li>The one that you uploaded, {bytes(size)}, takes its name.</li>
        {standing?.active && <li>It is the active model: activate another first.</li>}
      </ul>
      <Answers yes="Replace" tone="primary" onYes={replace} onNo={onClose} />
    </Dialog>
  );
}
