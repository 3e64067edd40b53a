import type { Probe } from '../../models/intake.ts';
import { type Answer, get, type RequestOptions } from './request.ts';
import { type RetryOptions, withRetries } from './retry.ts';

/** Size, digest and version of what is at `url`, by asking for its first byte: signed addresses answer no HEAD. */
export async function probeUrl(url: URL, options: RetryOptions & RequestOptions): Promise<Probe> {
  const answer = await withRetries(
    url,
    options,
    () => 0,
    () => get(url, { range: 'bytes=0-0' }, options.signal, { authorization: options.authorization }),
  );
  await answer.response.body?.cancel();
  return describe(answer);
}

export function describe(answer: Answer): Probe {
  return { size: sizeOf(answer), sha256: sha256Of(answer), version: versionOf(answer.response.headers) };
}

/** Bytes of the whole file; null when the server does not say. */
function sizeOf({ response, headers }: Answer): number | null {
  const linked = Number(first(headers, 'x-linked-size') ?? Number.NaN);
  if (Number.isSafeInteger(linked)) return linked;
  if (response.status === 206 || response.status === 416) {
    const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
    return total === undefined ? null : Number(total);
  }
  const length = response.headers.get('content-length');
  return length === null ? null : Number(length);
}

/** Stated by hubs on their redirect (`x-linked-etag`), or by RFC 9530 and its predecessor RFC 3230 for the whole file. */
function sha256Of({ headers }: Answer): string | null {
  const linked = /^"?([0-9a-f]{64})"?$/i.exec(first(headers, 'x-linked-etag') ?? '')?.[1];
  if (linked) return linked.toLowerCase();
  for (const name of ['repr-digest', 'digest']) {
    const encoded = /(?:^|[,\s])sha-256=:?([A-Za-z0-9+/]{43}=):?/i.exec(first(headers, name) ?? '')?.[1];
    if (encoded) return Buffer.from(encoded, 'base64').toString('hex');
  }
  return null;
}

/** What may stand in `If-Range`: a strong ETag, else the time of the last change. */
function versionOf(headers: Headers): string | null {
  const tag = headers.get('etag');
  if (tag?.startsWith('"')) return tag;
  return headers.get('last-modified');
}

function first(headers: readonly Headers[], name: string): string | null {
  for (const each of headers) {
    const value = each.get(name);
    if (value !== null) return value;
  }
  return null;
}
