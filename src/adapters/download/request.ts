import { AixclError, reasonOf } from '../../errors.ts';
import { shownUrl } from '../../models/source.ts';

/** A failure that the same request may not meet again: a cut connection, a busy server. */
export class Transient extends Error {
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

export interface Answer {
  /** The last response, its body unread. */
  readonly response: Response;
  /** Headers of every response on the way, the first one first: hubs state the digest on the redirect. */
  readonly headers: readonly Headers[];
}

export interface RequestOptions {
  readonly method?: 'GET' | 'HEAD';
  /** Sent to the host of the address and to no other that it leads to. */
  readonly authorization?: (() => string) | undefined;
  /** Status codes that are answers to the caller, not failures. */
  readonly answers?: readonly number[];
}

const maximumRedirects = 10;

/**
 * GET (or HEAD) with redirects followed one by one. Throws `Transient` for what is worth another try, `notFound`, `refused` or `unexpected`
 * for what is not.
 */
export async function get(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
  options: RequestOptions = {},
): Promise<Answer> {
  const seen: Headers[] = [];
  let current = url;
  const login = options.authorization ? { authorization: options.authorization() } : addressLogin(url);
  for (let count = 0; count <= maximumRedirects; count++) {
    const sent = current.origin === url.origin ? { ...login, ...headers } : headers;
    const response = await send(current, sent, signal, options.method);
    seen.push(response.headers);
    const target = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && response.status !== 304 && target) {
      await response.body?.cancel();
      const next = URL.canParse(target, current.href) ? new URL(target, current) : undefined;
      if (!next || !/^https?:$/.test(next.protocol)) break;
      current = next;
      continue;
    }
    if (response.ok || response.status === 416 || options.answers?.includes(response.status))
      return { response, headers: seen };
    await response.body?.cancel();
    throw failure(url, response);
  }
  throw new AixclError('unexpected', `${shownUrl(url)} leads from one address to another and to no file`, {
    hint: `curl -IL ${shownUrl(url)}`,
  });
}

/** fetch refuses addresses with a name and password in them; they go to the host that they were given for and to no other. */
function addressLogin(url: URL): Record<string, string> {
  if (!url.username) return {};
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

async function send(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<Response> {
  try {
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    return await fetch(bare, {
      method,
      redirect: 'manual',
      signal,
      // Compressed on the way, bytes would not be those of the file and ranges would not fit.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'aixcl', ...headers },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Transient(networkReason(error));
  }
}

/** `fetch failed` says nothing; its cause does. */
export function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return cause ? reasonOf(cause) : reasonOf(error);
}

function failure(url: URL, response: Response): Error {
  const said = `${url.host} answered ${response.status} ${response.statusText}`.trim();
  const { status } = response;
  if (status === 404 || status === 410) {
    return new AixclError('notFound', `There is no ${shownUrl(url)}: ${said}`, {
      hint: 'Check the address in a browser.',
    });
  }
  if (status === 401 || status === 403) {
    return new AixclError('refused', `${shownUrl(url)} is not for everyone: ${said}`, {
      hint: 'Fetch it with a program that is logged in there, then: aixcl models add FILE',
    });
  }
  if (status >= 500 || status === 429 || status === 408) {
    const seconds = Number(response.headers.get('retry-after'));
    return new Transient(said, Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined);
  }
  return new AixclError('unexpected', `${shownUrl(url)} can't be fetched: ${said}`, {
    hint: `curl -IL ${shownUrl(url)}`,
  });
}
