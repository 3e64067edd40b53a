import type { PageUpload } from '../../api.ts';
import { bytes, bytesOf, count, percent, timeLeft } from '../parts/format.ts';
import { outlook } from '../sending/course.ts';
import type { Sending } from '../sending/sender.ts';

/** Where an upload is that this tab sends. */
export function sendingText(view: Sending, size: number, now: number): string {
  const share = bytesOf(view.sent, size);
  switch (view.phase) {
    case 'waiting':
      return view.sent > 0 ? `${share}, waits for its turn` : `${bytes(size)}, waits for its turn`;
    case 'sending': {
      const ahead = outlook(view.course, size, now);
      if (!ahead) return share;
      return `${share}, ${bytes(Math.round(ahead.rate))}/s, ${timeLeft(ahead.left)} left`;
    }
    case 'paused':
      return `${share}, paused`;
    case 'retrying':
      return `${share}, connection lost: it goes on by itself`;
    case 'sent':
      return `${bytes(size)} sent`;
    case 'stopped':
      return `${share}, stopped`;
  }
}

const receivingTexts = {
  elsewhere: 'sent from another tab or browser',
  here: 'stopped. Choose the same file again to go on, or clear it.',
  beginner: 'stopped. Another browser began it: go on there, or clear it.',
} as const;

/** Who may send the rest of an upload: another tab or browser does, this browser could, or it has to be done where it was begun. */
export type SentBy = 'elsewhere' | 'here' | 'beginner';

/** Where an upload is by the server's word. */
export function phaseText(upload: PageUpload, sender: SentBy): string {
  const { phase, received, size, checked, parts } = upload;
  switch (phase) {
    case 'receiving':
      return `${bytesOf(received, size)}, ${receivingTexts[sender]}`;
    case 'parts':
      return parts && parts.whole < parts.count
        ? `Here, and waits for the other parts: ${parts.whole} of ${count(parts.count, 'file')}`
        : 'Here, and waits for the others of its model';
    case 'checking':
      return checked > 0 && checked < size ? `Checking, ${percent(checked, size)} %` : 'Checking';
    case 'exists':
      return `Here, and has no name yet: ${upload.model} is another model.`;
    case 'refused':
      return 'Refused';
  }
}
