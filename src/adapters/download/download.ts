import type { FileHandle } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import type { Probe } from '../../models/intake.ts';
import { shownUrl } from '../../models/source.ts';
import { describe } from './probe.ts';
import { type Answer, get, networkReason, type RequestOptions, Transient } from './request.ts';
import { type RetryOptions, withRetries } from './retry.ts';

export interface DownloadOptions extends RetryOptions, Pick<RequestOptions, 'authorization'> {
  /** Bytes of the file that are here, those of earlier runs included. */
  readonly onProgress?: (done: number) => void;
  /** Milliseconds without a byte after which a connection counts as cut. */
  readonly idleLimit?: number;
}

/**
 * Fetches the rest of `url` into `file`, which holds the first bytes of the version in `expected`, or nothing. A connection that is cut is
 * taken up where it ended; a source that changed, or can't go on in the middle, is fetched from the start. Does not fsync.
 */
export async function download(
  url: URL,
  file: FileHandle,
  expected: Probe,
  options: DownloadOptions,
): Promise<void> {
  let version = expected.version;
  let position = (await file.stat()).size;
  if (position > 0 && !canResume(expected)) position = 0;

  await withRetries(
    url,
    options,
    () => position,
    async () => {
      const idle = new IdleGuard(options.idleLimit ?? 30_000);
      const signal = AbortSignal.any([options.signal, idle.signal]);
      let answer: Answer | undefined;
      try {
        if (position === expected.size && position > 0) return;
        answer = await get(url, rangeHeaders(position, version), signal, {
          authorization: options.authorization,
        });
        const found = describe(answer);
        assertUnchanged(url, expected, found);
        if (answer.response.status === 416 && found.size === position) return;
        const from = startOf(answer.response);
        // A server that has another version, or no ranges, sends the whole of it.
        if (from !== position || (from > 0 && found.version !== version)) {
          if (from !== 0) {
            position = 0;
            throw new Transient('the source changed while it was being fetched');
          }
          position = 0;
        }
        version = found.version;
        await file.truncate(position);
        for await (const chunk of body(answer.response)) {
          idle.alive();
          await writeAll(file, chunk, position);
          position += chunk.byteLength;
          options.onProgress?.(position);
        }
        if (found.size !== null && position < found.size) throw new Transient('the connection was cut');
      } catch (error) {
        await answer?.response.body?.cancel().catch(() => undefined);
        options.signal.throwIfAborted();
        if (idle.signal.aborted) throw new Transient('no byte came for half a minute');
        throw error;
      } finally {
        idle.stop();
      }
    },
  );
}

/** Whether the first bytes of a file may be kept: only if the source can be asked for the rest of that same version. */
export function canResume(probe: Probe): boolean {
  return probe.version !== null || probe.sha256 !== null;
}

function rangeHeaders(position: number, version: string | null): Record<string, string> {
  if (position === 0) return {};
  const range = { range: `bytes=${position}-` };
  return version === null ? range : { ...range, 'if-range': version };
}

/** The size was agreed on when space was checked; a source that has another one now is fetched by another run. */
function assertUnchanged(url: URL, expected: Probe, found: Probe): void {
  if (expected.size === null || found.size === null || expected.size === found.size) return;
  throw new AixclError(
    'unexpected',
    `${shownUrl(url)} changed while it was being fetched: it had ${expected.size} bytes and has ${found.size} now`,
    { hint: 'Run the command again.' },
  );
}

function startOf(response: Response): number {
  if (response.status === 206) {
    return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
  }
  return response.status === 200 ? 0 : -1;
}

async function* body(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return;
  try {
    for await (const chunk of response.body) yield chunk as Uint8Array;
  } catch (error) {
    throw new Transient(networkReason(error));
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}

/** Aborts when nothing was heard for a while. */
class IdleGuard {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(limit: number) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error('idle')), limit);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  alive(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
