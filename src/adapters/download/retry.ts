import { setTimeout as wait } from 'node:timers/promises';
import prettyBytes from 'pretty-bytes';
import { AixclError } from '../../errors.ts';
import { shownUrl } from '../../models/source.ts';
import { Transient } from './request.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Tries without any progress before giving up. */
  readonly attempts?: number;
  /** Milliseconds before the second try; doubled each time, to 30 s at most. */
  readonly firstDelay?: number;
}

/** Runs `attempt` until it succeeds or fails for good. `progress()` grows when something was achieved; then the count starts again. */
export async function withRetries<T>(
  url: URL,
  options: RetryOptions,
  progress: () => number,
  attempt: () => Promise<T>,
): Promise<T> {
  const { attempts = 6, firstDelay = 500, signal } = options;
  let failures = 0;
  for (;;) {
    const before = progress();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      failures = progress() > before ? 1 : failures + 1;
      if (failures >= attempts) throw gaveUp(url, error, progress());
      const delay = error.retryAfter ?? firstDelay * 2 ** (failures - 1);
      await wait(Math.min(delay, 30_000), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function gaveUp(url: URL, error: Transient, done: number): AixclError {
  const kept = done > 0 ? ` ${prettyBytes(done)} are kept, and the next run goes on from there.` : '';
  return new AixclError('unexpected', `${shownUrl(url)} can't be fetched: ${error.message}.${kept}`, {
    hint: `curl -IL ${shownUrl(url)}`,
    cause: error,
  });
}
