/** What a request asks for. */
export interface Target {
  /** As it came, without the query: for the log, and for whoever decodes it himself. */
  readonly path: string;
  /** Decoded; of `/` one empty one. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** No file name and no model's name is longer, in bytes. */
const longestName = 255;
const printable = /^[\x21-\x7e]*$/;

/**
 * Takes the target of a request line apart, once, so that nobody behind decodes it differently. Undefined when it is none that a browser would
 * send: not a path of this server, bytes that belong encoded, encodings of what is no UTF-8, control characters, `.` or `..` also
 * behind an encoded slash, a name that is too long.
 */
export function targetOf(url: string | undefined): Target | undefined {
  if (!url?.startsWith('/') || !printable.test(url) || /[\\#]/.test(url)) return undefined;
  const [path = '', ...query] = url.split('?');
  const segments: string[] = [];
  for (const encoded of path.slice(1).split('/')) {
    const segment = decoded(encoded);
    if (segment === undefined || !isName(segment)) return undefined;
    segments.push(segment);
  }
  return { path, segments, query: new URLSearchParams(query.join('?')) };
}

function isName(text: string): boolean {
  if (/[\0-\x1f\x7f]/.test(text) || Buffer.byteLength(text) > longestName) return false;
  return !text.split(/[/\\]/).some((part) => part === '.' || part === '..');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
