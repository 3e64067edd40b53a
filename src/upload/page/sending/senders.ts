import type { PageState, PageUpload } from '../../api.ts';
import { Observed } from '../parts/observed.ts';
import type { Connection } from '../server/connection.ts';
import { Growth } from './growth.ts';
import { keepOnly } from './remembered.ts';
import { type Metadata, Sender } from './sender.ts';

/** How many send at once. With the events that is three connections a tab, of the six that a browser allows to one host. */
const atOnce = 2;
/** Milliseconds after the last byte from which a state that has no such upload means that it is settled: an earlier one may be older. */
const settling = 1500;

/** All that this tab sends, in the order in which it was chosen. */
export class Senders {
  readonly list = new Observed<readonly Sender[]>([]);
  readonly #growth = new Growth();
  readonly #connection: Connection;
  readonly #onSettled: (sender: Sender, state: PageState) => void;

  /** `onSettled`: the server has no such upload any more, as it became a model or was cleared. */
  constructor(connection: Connection, onSettled: (sender: Sender, state: PageState) => void) {
    this.#connection = connection;
    this.#onSettled = onSettled;
    connection.state.watch(() => this.#settle());
    connection.standing.watch(() => {
      if (connection.standing.value === 'live') for (const sender of this.list.value) sender.retryNow();
    });
  }

  /** `begun`: what the server has a part of already. */
  add(file: File, metadata: Metadata, begun: PageUpload | null = null): void {
    const sender = new Sender(file, metadata, begun, () => this.#connection.signedOut());
    sender.view.watch(() => this.#onView(sender));
    this.list.set([...this.list.value, sender]);
    this.#next();
  }

  of(id: string): Sender | undefined {
    return this.list.value.find((sender) => sender.id === id);
  }

  /** Another tab or browser sends it. */
  sentElsewhere(id: string): boolean {
    return !this.of(id) && this.#growth.grows(id, Date.now());
  }

  /** Sends no more of it, and forgets it. */
  remove(sender: Sender): void {
    sender.drop();
    this.list.set(this.list.value.filter((each) => each !== sender));
    this.#next();
  }

  /** In its turn. */
  resume(sender: Sender): void {
    sender.wait();
    this.#next();
  }

  #onView(sender: Sender): void {
    const { phase } = sender.view.value;
    if (phase === 'sent') setTimeout(() => this.#connection.look().catch(() => undefined), settling + 100);
    if (phase !== 'sending' && phase !== 'waiting') this.#next();
  }

  #next(): void {
    const busy = this.list.value.filter((sender) => takesATurn(sender)).length;
    const waiting = this.list.value.filter((sender) => sender.view.value.phase === 'waiting');
    for (const sender of waiting.slice(0, Math.max(0, atOnce - busy))) sender.start();
  }

  #settle(): void {
    const state = this.#connection.state.value;
    if (!state) return;
    this.#growth.see(state.uploads, Date.now());
    const there = new Set(state.uploads.map(({ id }) => id));
    const own = this.list.value;
    keepOnly(new Set([...there, ...own.flatMap(({ id }) => id ?? [])]));
    for (const sender of own) {
      const { phase, ended } = sender.view.value;
      if (phase !== 'sent' || ended === null || Date.now() - ended < settling) continue;
      if (sender.id !== null && there.has(sender.id)) continue;
      this.remove(sender);
      this.#onSettled(sender, state);
    }
  }
}

function takesATurn({ view }: Sender): boolean {
  return view.value.phase === 'sending' || view.value.phase === 'retrying';
}
