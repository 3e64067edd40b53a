import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageJob, PageState, PageUpload, Removal, Restoration } from './api.ts';

/** What the routes have done: the models and snapshots behind the page. Whatever is refused throws an AixclError. */
export interface Desk extends AsyncDisposable {
  state(): Promise<PageState>;
  /** Calls back at once and whenever the state changed, at most some times a second, until disposed. Looks at the disk only while somebody watches. */
  watch(onState: (state: PageState) => void): Disposable;
  activate(name: string): Promise<PageJob>;
  removal(name: string): Promise<Removal>;
  remove(name: string): Promise<PageJob>;
  restoration(id: string): Promise<Restoration>;
  restore(id: string): Promise<PageJob>;
  verify(id: string): Promise<PageJob>;
  /** Takes back what made the backup `id`; throws `refused` when that is not what `undo` would take back now. */
  undo(id: string): Promise<PageJob>;
  /** Throws `notFound`. */
  job(id: string): PageJob;
}

/** Uploads: their bytes, and what becomes of them. */
export interface Receiving extends AsyncDisposable {
  /** Answers a request of the tus protocol below `/uploads`; the caller has let it in. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  list(): Promise<readonly PageUpload[]>;
  /** What stands under its name is saved and replaced. Throws `notFound`, `refused`. */
  replace(id: string): Promise<void>;
  /** One that was refused is checked again. */
  check(id: string): Promise<void>;
}
