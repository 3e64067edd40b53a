import type { PageJob, PageState } from '../../api.ts';
import { Observed } from '../parts/observed.ts';
import type { Connection } from './connection.ts';
import type { Notices } from './notices.tsx';
import { ownProblem, Refusal } from './refusal.ts';

/** A result that can be taken back, or that there is nothing to say of. */
interface Said {
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** It holds no more in such a state. */
  readonly until?: (state: PageState) => boolean;
}

interface Asked {
  /** `tea.gguf is not deleted`. */
  readonly failed: string;
  readonly done: (job: PageJob) => Said | null;
}

/** Milliseconds after which a job that no state shows is one that its service forgot. */
const forgotten = 5000;

/** Jobs that this tab asked for: whoever asked is told what came of it. */
export class Work {
  /** Targets that are being asked for at the moment, before there is a job. */
  readonly asking = new Observed<ReadonlySet<string>>(new Set());
  readonly #connection: Connection;
  readonly #notices: Notices;
  readonly #followed = new Map<string, Asked & { readonly target: string; readonly since: number }>();

  constructor(connection: Connection, notices: Notices) {
    this.#connection = connection;
    this.#notices = notices;
    connection.state.watch(() => {
      const state = connection.state.value;
      if (!state) return;
      this.#look(state);
      notices.outlive(state);
    });
  }

  async begin(target: string, path: string, asked: Asked, method = 'POST'): Promise<void> {
    this.#notices.take(target);
    this.#ask(target, true);
    try {
      const { id } = await this.#connection.request<PageJob>(method, path);
      this.#followed.set(id, { ...asked, target, since: Date.now() });
      await this.#connection.look().catch(() => undefined);
    } catch (error) {
      this.#notices.bad(target, `${asked.failed}.`, error);
    } finally {
      this.#ask(target, false);
    }
  }

  #ask(target: string, asking: boolean): void {
    const targets = new Set(this.asking.value);
    if (asking) targets.add(target);
    else targets.delete(target);
    this.asking.set(targets);
  }

  #look({ jobs }: PageState): void {
    for (const [id, asked] of this.#followed) {
      const job = jobs.find((each) => each.id === id);
      if (job?.outcome === 'running' || (!job && Date.now() - asked.since < forgotten)) continue;
      this.#followed.delete(id);
      if (job?.outcome === 'done') {
        const said = asked.done(job);
        if (said) this.#notices.good(asked.target, said.text, said.action ?? null, said.until ?? null);
      } else {
        this.#notices.bad(asked.target, `${asked.failed}.`, new Refusal(job?.problem ?? lost()));
      }
    }
  }
}

function lost() {
  const detail = 'The service was restarted meanwhile, and the list shows what was done.';
  return { ...ownProblem('unexpected', 'Nobody knows', detail), hint: 'aixcl journal' };
}
