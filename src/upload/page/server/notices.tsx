import type { Problem } from '../../api.ts';
import { Observed, useObserved } from '../parts/observed.ts';
import { ProblemText } from '../parts/problem-text.tsx';
import { problemOf } from './refusal.ts';

interface Action {
  readonly label: string;
  readonly run: () => void;
}

interface Notice {
  readonly key: number;
  /** About what: a later notice about the same takes its place. */
  readonly about: string;
  readonly text: string;
  readonly problem: Problem | null;
  readonly action: Action | null;
}

/** So many stay; the oldest goes first. */
const most = 4;

/** What came of things, said until somebody dismisses it; what asks for nothing, until there is something newer. */
export class Notices {
  readonly list = new Observed<readonly Notice[]>([]);
  #made = 0;

  good(about: string, text: string, action: Action | null = null): void {
    this.#add({ key: ++this.#made, about, text, problem: null, action });
  }

  bad(about: string, text: string, error: unknown): void {
    this.#add({ key: ++this.#made, about, text, problem: problemOf(error), action: null });
  }

  take(about: string): void {
    this.list.set(this.list.value.filter((notice) => notice.about !== about));
  }

  #add(notice: Notice): void {
    const isRead = ({ about, problem, action }: Notice) =>
      about === notice.about || (problem === null && action === null);
    this.list.set([...this.list.value.filter((each) => !isRead(each)), notice].slice(-most));
  }
}

/** Newest first. Results are read out when nothing else is, errors at once. */
export function NoticeList({ notices }: { readonly notices: Notices }) {
  const list = [...useObserved(notices.list)].reverse();
  const show = (notice: Notice) => (
    <Shown key={notice.key} notice={notice} onClose={() => notices.take(notice.about)} />
  );
  return (
    <section class="notices" aria-label="Notices">
      <div role="alert" class={list[0]?.problem ? undefined : 'older'}>
        {list.filter(({ problem }) => problem !== null).map(show)}
      </div>
      <div role="status">{list.filter(({ problem }) => problem === null).map(show)}</div>
    </section>
  );
}

function Shown({ notice, onClose }: { readonly notice: Notice; readonly onClose: () => void }) {
  const { text, problem, action } = notice;
  return (
    <div class={problem ? 'notice bad' : 'notice'}>
      <div class="notice-head">
        <p class="notice-title">{text}</p>
        <div class="buttons">
          {action && (
            <button
              type="button"
              onClick={() => {
                onClose();
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="quiet" aria-label={`Dismiss: ${text}`} onClick={onClose}>
            Dismiss
          </button>
        </div>
      </div>
      {problem && <ProblemText problem={problem} brief />}
    </div>
  );
}
