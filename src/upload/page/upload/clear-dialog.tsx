import { Answers } from '../parts/answers.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { problemOf } from '../server/refusal.ts';
import { useTools } from '../tools.ts';

interface Asked {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
  /** The upload's, if the server has one by now. */
  readonly id: () => string | null;
  readonly name: string;
  readonly onClose: () => void;
  readonly onCleared?: () => void;
}

/** Before bytes go that nothing keeps. */
export function ClearDialog({ title, text, yes, no, id, name, onClose, onCleared }: Asked) {
  const { connection, notices } = useTools();
  const clear = async () => {
    onClose();
    onCleared?.();
    const upload = id();
    if (upload === null) return;
    try {
      await connection.request('DELETE', `/uploads/${encodeURIComponent(upload)}`);
    } catch (error) {
      const { status } = problemOf(error);
      if (status !== 404 && status !== 410) return notices.bad(upload, `${name} is not cleared.`, error);
    }
    await connection.look().catch(() => undefined);
    notices.good(upload, `${name} is cleared.`);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Answers yes={yes} no={no} tone="danger" onYes={clear} onNo={onClose} />
    </Dialog>
  );
}
