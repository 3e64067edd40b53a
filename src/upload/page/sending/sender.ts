import { DetailedError, Upload } from 'tus-js-client/lib/browser/index.js';
import type { Problem } from '../../api.ts';
import { Observed } from '../parts/observed.ts';
import { ownProblem, problemIn, unreachable } from '../server/refusal.ts';
import { beginCourse, type Course, observe } from './course.ts';
import { remember } from './remembered.ts';

/** `waiting`: for its turn. `retrying`: the connection was lost. `sent`: the server has every byte. `stopped`: it refused, `problem` says why. */
export interface Sending {
  readonly phase: 'waiting' | 'sending' | 'paused' | 'retrying' | 'sent' | 'stopped';
  /** Bytes. */
  readonly sent: number;
  readonly course: Course;
  readonly problem: Problem | null;
  /** When the last byte was sent, in milliseconds. */
  readonly ended: number | null;
}

/** What the server is told of a file: the metadata of api.ts. */
export interface Metadata {
  readonly filename: string;
  readonly model?: string;
  readonly parts?: string;
  readonly sha256?: string;
  readonly replace?: 'yes';
}

/** An upload that the server has a part of. */
interface Begun {
  readonly id: string;
  readonly received: number;
}

/** Bytes of a request: so much may be sent in vain when the connection breaks. */
const chunk = 4 * 2 ** 20;
/** Milliseconds before each try; progress begins the row anew. The last is repeated for an hour, as a service may be down for long. */
const retryDelays = [300, 1000, 2000, 4000, 8000, 15_000, ...Array<number>(120).fill(30_000)];

let made = 0;

/** Brings one file to the server, and goes on where it was after whatever came between. */
export class Sender {
  readonly key = `sender-${++made}`;
  readonly file: File;
  readonly metadata: Metadata;
  readonly view: Observed<Sending>;
  /** The upload's, once the server has it. */
  id: string | null;
  readonly #upload: Upload;
  readonly #onSignedOut: () => void;
  /** It is at work, if only until it has an address to stop at. */
  #running = false;
  /** What is told next is where it begins, and no speed. */
  #fresh = true;

  constructor(file: File, metadata: Metadata, begun: Begun | null, onSignedOut: () => void) {
    this.file = file;
    this.metadata = metadata;
    this.id = begun?.id ?? null;
    this.#onSignedOut = onSignedOut;
    const sent = begun?.received ?? 0;
    const course = beginCourse(sent, Date.now());
    this.view = new Observed<Sending>({ phase: 'waiting', sent, course, problem: null, ended: null });
    this.#upload = new Upload(file, {
      ...(begun ? { uploadUrl: urlOf(begun.id) } : { endpoint: urlOf('') }),
      metadata: { ...metadata },
      chunkSize: chunk,
      retryDelays,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => this.#created(),
      onProgress: (bytes) => this.#progress(bytes),
      onSuccess: () => this.#sent(),
      onShouldRetry: (error) => this.#retries(error as DetailedError),
      onError: (error) => this.#failed(error),
    });
  }

  /** Begins, goes on, or tries again. */
  start(): void {
    this.#set({ phase: 'sending', problem: null });
    if (this.#running) return;
    this.#running = true;
    this.#fresh = true;
    this.#upload.start();
  }

  /** Takes its turn back; `waiting` after it makes it the next. */
  pause(): void {
    const isBeingMade = this.id === null && this.view.value.phase === 'sending';
    this.#set({ phase: 'paused' });
    // Cut short while the server makes it, it would be made twice: it stops once it has an address to go on at.
    if (!isBeingMade) this.drop();
  }

  wait(): void {
    this.#set({ phase: 'waiting', problem: null });
  }

  /** The connection is back: no reason to wait any longer. */
  retryNow(): void {
    if (this.view.value.phase !== 'retrying') return;
    this.drop();
    this.start();
  }

  /** Sends no more. What the server has stays there. */
  drop(): void {
    this.#running = false;
    void this.#upload.abort();
  }

  #created(): void {
    const { url } = this.#upload;
    this.id = url && decodeURIComponent(url.slice(url.lastIndexOf('/') + 1));
    if (this.id) remember(this.id, this.file);
    // Should the server forget it, it is not begun anew behind everyone's back.
    this.#upload.options.endpoint = null;
    if (this.view.value.phase === 'paused') this.drop();
    this.#set({});
  }

  #progress(bytes: number): void {
    const { phase, course } = this.view.value;
    if (phase !== 'sending' && phase !== 'retrying') return;
    const now = Date.now();
    this.#set({
      phase: 'sending',
      sent: bytes,
      course: this.#fresh ? beginCourse(bytes, now) : observe(course, bytes, now),
    });
    this.#fresh = false;
  }

  #sent(): void {
    this.#running = false;
    this.#set({ phase: 'sent', sent: this.file.size, ended: Date.now() });
  }

  #retries(error: DetailedError): boolean {
    const status = error.originalResponse?.getStatus();
    const mayPass =
      status === undefined ||
      status === 409 ||
      status === 423 ||
      status === 429 ||
      (status >= 500 && status !== 507);
    if (mayPass && this.view.value.phase !== 'paused') this.#set({ phase: 'retrying' });
    if (status === undefined) void this.#lookAtFile();
    return mayPass;
  }

  /** A file that was changed or taken away looks like a lost connection to who sends it. */
  async #lookAtFile(): Promise<void> {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch (error) {
      this.drop();
      this.#set({ phase: 'stopped', problem: unreadable(error as Error) });
    }
  }

  #failed(error: Error): void {
    this.#running = false;
    const response = error instanceof DetailedError ? error.originalResponse : null;
    const status = response?.getStatus();
    if (status === 401) this.#onSignedOut();
    // Its last byte was there, and its answer was lost: what became of it stands in the state.
    const isGone = status === 404 || status === 410;
    if (isGone && this.view.value.sent === this.file.size) this.#sent();
    else this.#set({ phase: 'stopped', problem: problemOfSending(error) });
  }

  #set(change: Partial<Sending>): void {
    this.view.set({ ...this.view.value, ...change });
  }
}

function problemOfSending(error: Error): Problem {
  if (!(error instanceof DetailedError)) return unreadable(error);
  const response = error.originalResponse;
  if (!response) return unreachable();
  const status = response.getStatus();
  if (status === 404 || status === 410) {
    return ownProblem('notFound', 'The upload is gone', 'It was cleared meanwhile.');
  }
  return problemIn(response.getBody(), status);
}

function unreadable({ message }: Error): Problem {
  const title = 'The file can not be read';
  return ownProblem('unexpected', title, `It was changed or taken away since it was chosen (${message}).`);
}

/** Absolute, as the library resolves addresses against it. */
function urlOf(id: string): string {
  return new URL(`/uploads/${encodeURIComponent(id)}`.replace(/\/$/, ''), location.href).href;
}
