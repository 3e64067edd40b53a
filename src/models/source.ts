import { AixclError } from '../errors.ts';
import { quoted } from './model-name.ts';

/** Where a model is to come from, by the SOURCE of `models add`. */
export type Source =
  | { readonly kind: 'path'; readonly text: string }
  /** `text` is for people: `url` without what may be secret in it. */
  | { readonly kind: 'http'; readonly text: string; readonly url: URL }
  /** `llama3.2:1b`: Ollama's library. */
  | { readonly kind: 'ollama'; readonly text: string }
  /** `hf.co/user/repo:Q4_K_M`. */
  | { readonly kind: 'hub'; readonly text: string };

/** The one place where a SOURCE is told apart. A path is one that looks like it or ends in `.gguf`; all else is a name. */
export function parseSource(text: string): Source {
  if (/^https?:\/\//i.test(text)) return { kind: 'http', text: shownSource(text), url: parseUrl(text) };
  if (address.test(text)) {
    throw new AixclError(
      'usage',
      `${quoted(shownSource(text))}: only http and https addresses can be fetched`,
      { hint },
    );
  }
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(text) || text.endsWith('.gguf') || text.endsWith('/')) {
    return { kind: 'path', text };
  }
  if (/^(hf\.co|huggingface\.co)\//.test(text)) return { kind: 'hub', text };
  return { kind: 'ollama', text };
}

export function unsupported(source: Source & { kind: 'ollama' | 'hub' }): AixclError {
  const message =
    source.kind === 'hub'
      ? `${quoted(source.text)}: models of the Hub can't be added by name yet; the address of the file itself can.`
      : `${quoted(source.text)} is no path and no address of a .gguf file. Ollama models can't be added by aixcl yet.`;
  return new AixclError('usage', message, {
    hint: source.kind === 'hub' ? hint : `docker exec ollama ollama pull ${source.text}`,
  });
}

const address = /^[a-z][a-z0-9+.-]*:\/\//i;
const hint = 'aixcl models add https://HOST/PATH/MODEL.gguf';

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.pathname.endsWith('.gguf')) {
    throw new AixclError('usage', `${quoted(shownSource(text))} is not the address of a .gguf file`, {
      hint,
    });
  }
  return url;
}

/** File name at the end of an address, decoded; throws `usage` when it is not one. */
export function fileNameOf(url: URL): string {
  try {
    return decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  } catch {
    throw new AixclError('usage', `The file name of ${shownUrl(url)} is not valid UTF-8`, {
      hint: `aixcl models add ${shownUrl(url)} --as NAME.gguf`,
    });
  }
}

/** The address of another file beside `url`, its query kept. */
export function besideUrl(url: URL, file: string): URL {
  const other = new URL(url);
  other.pathname = other.pathname.slice(0, other.pathname.lastIndexOf('/') + 1) + encodeURIComponent(file);
  return other;
}

/** `url` without what may be secret in it: credentials and query. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** A SOURCE as it was given, without what may be secret in it where it is an address. */
export function shownSource(text: string): string {
  if (!address.test(text)) return text;
  if (URL.canParse(text)) return shownUrl(new URL(text));
  return text.replace(/[?#].*$/s, '').replace(/\/\/.*@/s, '//');
}
