import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageUpload, UploadPhase } from '../../api.ts';
import { useObserved } from '../parts/observed.ts';
import { rememberedOf } from '../sending/remembered.ts';
import type { Sender } from '../sending/sender.ts';
import type { Senders } from '../sending/senders.ts';
import { useTools } from '../tools.ts';
import { LeftItem } from './left-item.tsx';
import { SendingItem } from './sending-item.tsx';
import { phaseText, type SentBy } from './upload-words.ts';

/** All that is not a model yet: what this tab sends, and what else the server has. */
export function UploadList({ uploads }: { readonly uploads: readonly PageUpload[] }) {
  const tools = useTools();
  const senders = useObserved(tools.senders.list);
  const said = useChanges(uploads);
  useTick(senders.length > 0 || uploads.some(({ phase }) => phase === 'receiving'));
  const sent = new Map<string, Sender>(senders.flatMap((sender) => (sender.id ? [[sender.id, sender]] : [])));
  const others = uploads.filter(({ id, phase }) => !sent.has(id) || phase !== 'receiving');
  const shown = new Set(others.map(({ id }) => id));
  const own = senders.filter(({ id }) => id === null || !shown.has(id));
  return (
    <>
      <p class="unseen" role="status">
        {said}
      </p>
      {own.length + others.length > 0 && (
        <ul class="uploads" aria-label="Uploads">
          {own.map((sender) => (
            <SendingItem key={sender.key} sender={sender} />
          ))}
          {others.map((upload) => (
            <LeftItem key={upload.id} upload={upload} sender={senderOf(upload, tools.senders)} />
          ))}
        </ul>
      )}
    </>
  );
}

function senderOf({ id, sha256 }: PageUpload, senders: Senders): SentBy {
  if (senders.sentElsewhere(id)) return 'elsewhere';
  return rememberedOf(id) !== null || sha256 !== null ? 'here' : 'beginner';
}

/** Said once to who listens: what an upload waits for, or that it was refused. Its bytes are not, as they change all the time. */
function useChanges(uploads: readonly PageUpload[]): string {
  const [said, say] = useState('');
  const phases = useRef(new Map<string, UploadPhase>());
  useEffect(() => {
    const before = phases.current;
    phases.current = new Map(uploads.map(({ id, phase }) => [id, phase]));
    const changed = uploads.filter(({ id, phase }) => (before.get(id) ?? phase) !== phase);
    const news = changed.filter(({ phase }) => phase !== 'receiving' && phase !== 'checking');
    if (news.length > 0) say(news.map((upload) => `${upload.file}: ${phaseText(upload, 'here')}`).join(' '));
  }, [uploads]);
  return said;
}

/** Draws once a second, as what is said of a course changes by time alone. */
function useTick(needed: boolean): void {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!needed) return;
    const timer = setInterval(() => tick((number) => number + 1), 1000);
    return () => clearInterval(timer);
  }, [needed]);
}
