import type { PageJob, PageState } from '../../api.ts';
import { Observed } from '../parts/observed.ts';
import { problemIn, Refusal, unreachable } from './refusal.ts';

/** `signedOut`: no session, and only a new address gets one, in whichever tab it is opened. */
export type Standing = 'connecting' | 'live' | 'lost' | 'signedOut';

/** Milliseconds between tries to get the events back: doubled from the first to the second. */
const [firstPause, longestPause] = [500, 10_000];
/** Milliseconds after which who is signed out looks whether another tab signed in. */
const signedOutPause = 5000;

/** The one line to the server: its state as it changes, and requests. */
export class Connection {
  readonly standing = new Observed<Standing>('connecting');
  readonly state = new Observed<PageState | null>(null);
  #events: EventSource | null = null;
  #pause = firstPause;
  #timer = 0;

  /** A hidden tab holds no connection: browsers allow six to one host, all tabs together. */
  open(): void {
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#connect()));
    window.addEventListener('pagehide', () => this.#close());
    window.addEventListener('pageshow', () => this.#connect());
    window.addEventListener('online', () => this.#connect());
    window.addEventListener('focus', () => this.#connect());
    this.#connect();
  }

  /** Throws `Refusal`. */
  async request<T>(method: string, path: string): Promise<T> {
    const headers = { accept: 'application/json', 'tus-resumable': '1.0.0' };
    const response = await fetch(path, { method, headers }).catch(() => null);
    if (!response) throw new Refusal(unreachable());
    if (response.status === 401) this.signedOut();
    const body = await response.text().catch(() => '');
    if (!response.ok) throw new Refusal(problemIn(body, response.status));
    return (body === '' ? undefined : JSON.parse(body)) as T;
  }

  post(path: string): Promise<PageJob> {
    return this.request('POST', path);
  }

  /** The state as it is now, for whoever can't wait for the next event. */
  async look(): Promise<PageState> {
    const state = await this.request<PageState>('GET', '/api/state');
    this.state.set(state);
    return state;
  }

  signedOut(): void {
    this.#close();
    this.standing.set('signedOut');
    this.#timer = window.setTimeout(() => this.#connect(), signedOutPause);
  }

  #connect(): void {
    clearTimeout(this.#timer);
    if (this.#events || document.hidden) return;
    if (this.standing.value === 'signedOut') {
      void this.#enter();
      return;
    }
    const events = new EventSource('/api/events');
    this.#events = events;
    events.addEventListener('state', ({ data }) => {
      this.#pause = firstPause;
      this.state.set(JSON.parse(data) as PageState);
      this.standing.set('live');
    });
    events.onerror = () => {
      if (this.#events !== events) return;
      this.#close();
      void this.#lost();
    };
  }

  /** The cookie of a session is every tab's. */
  async #enter(): Promise<void> {
    try {
      await this.look();
      this.standing.set('connecting');
      this.#connect();
    } catch {
      this.signedOut();
    }
  }

  /** Events tell no status: a request does. */
  async #lost(): Promise<void> {
    await this.look().catch(() => {
      if (this.standing.value !== 'signedOut') this.standing.set('lost');
    });
    if (this.standing.value === 'signedOut' || this.#events) return;
    this.#timer = window.setTimeout(() => this.#connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, longestPause);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#events?.close();
    this.#events = null;
  }
}
