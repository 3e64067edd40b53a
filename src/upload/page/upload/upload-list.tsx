import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageUpload } from '../../api.ts';
import { useObserved } from '../parts/observed.ts';
import type { Sender } from '../sending/sender.ts';
import { useTools } from '../tools.ts';
import { Growth } from './growth.ts';
import { LeftItem } from './left-item.tsx';
import { SendingItem } from './sending-item.tsx';

/** All that is not a model yet: what this tab sends, and what else the server has. */
export function UploadList({ uploads }: { readonly uploads: readonly PageUpload[] }) {
  const senders = useObserved(useTools().senders.list);
  const growth = useRef(new Growth()).current;
  growth.see(uploads, Date.now());
  useTick(senders.length > 0 || uploads.some(({ phase }) => phase === 'receiving'));
  const sent = new Map<string, Sender>(senders.flatMap((sender) => (sender.id ? [[sender.id, sender]] : [])));
  const others = uploads.filter(({ id, phase }) => !sent.has(id) || phase !== 'receiving');
  const shown = new Set(others.map(({ id }) => id));
  const own = senders.filter(({ id }) => id === null || !shown.has(id));
  if (own.length + others.length === 0) return null;
  return (
    <ul class="uploads" aria-label="Uploads">
      {own.map((sender) => (
        <SendingItem key={sender.key} sender={sender} />
      ))}
      {others.map((upload) => (
        <LeftItem key={upload.id} upload={upload} grows={growth.grows(upload.id, Date.now())} />
      ))}
    </ul>
  );
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
