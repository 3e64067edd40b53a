import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { quoted } from './model-name.ts';
import { type OllamaName, parseOllamaName } from './ollama/name.ts';

/** Where a model is to come from, and which runtime is to have it, by SOURCE and `--runtime` of `models add`. */
export type Source =
  | { readonly kind: 'path'; readonly text: string }
  /** `text` is for people: `url` without what may be secret in it. */
  | { readonly kind: 'http'; readonly text: string; readonly url: URL }
  /** `llama3.2:1b`, `host:port/namespace/model:tag`, `hf.co/user/repo:Q4_K_M`: Ollama pulls it. */
  | { readonly kind: 'ollama'; readonly text: string; readonly name: OllamaName }
  /** `hf.co/user/repo:Q4_K_M` for llama-server. */
  | {
      readonly kind: 'hub';
      readonly text: string;
      readonly repo: string;
      /** What stands after the colon: a quantization, or the name of a file. */
      readonly choice: string | null;
    };

export type Runtime = 'ollama' | 'llama-server';

/** The one place where a SOURCE is told apart. A path is one that looks like it or ends in `.gguf`; all else is a name. */
export function parseSource(text: string, runtime?: Runtime): Source {
  const source = read(text, runtime);
  const goesTo: Runtime = source.kind === 'ollama' ? 'ollama' : 'llama-server';
  if (runtime === undefined || runtime === goesTo) return source;
  throw new AixclError(
    'usage',
    source.kind === 'ollama'
      ? `${quoted(source.text)} is a name for Ollama; llama-server takes .gguf files and models of the Hub`
      : `${quoted(source.text)} is a file for llama-server; Ollama takes names`,
    { hint: source.kind === 'ollama' ? hubHint : `aixcl models add ${shellWord(source.text)}` },
  );
}

function read(text: string, runtime: Runtime | undefined): Source {
  if (/^https?:\/\//i.test(text)) return { kind: 'http', text: shownSource(text), url: parseUrl(text) };
  if (address.test(text)) {
    throw new AixclError(
      'usage',
      `${quoted(shownSource(text))}: only http and https addresses can be fetched`,
      { hint },
    );
  }
  if (hub.test(text)) {
    return runtime === 'llama-server'
      ? parseHub(text)
      : { kind: 'ollama', text, name: parseOllamaName(text) };
  }
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(text) || text.endsWith('.gguf') || text.endsWith('/')) {
    return { kind: 'path', text };
  }
  return { kind: 'ollama', text, name: parseOllamaName(text) };
}

const hub = /^(?:hf\.co|huggingface\.co)\//i;

function parseHub(text: string): Source {
  const [, repo, choice = null] = /^([\w.-]+\/[\w.-]+)(?::([^\s:]+))?$/.exec(text.replace(hub, '')) ?? [];
  if (repo === undefined || /(^|\/)\.{1,2}(\/|$)/.test(repo)) {
    throw new AixclError('usage', `${quoted(text)} names no model of the Hub`, { hint: hubHint });
  }
  return { kind: 'hub', text, repo, choice };
}

const address = /^[a-z][a-z0-9+.-]*:\/\//i;
const hint = 'aixcl models add https://HOST/PATH/MODEL.gguf';
const hubHint = 'aixcl models add --runtime llama-server hf.co/USER/REPO:QUANT';

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
