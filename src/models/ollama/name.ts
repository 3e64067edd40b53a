import { AixclError } from '../../errors.ts';
import { quoted } from '../model-name.ts';

/** A model's name as Ollama takes it apart. Ollama matches names without regard to case; what is on the disk keeps its own. */
export interface OllamaName {
  /** `registry.ollama.ai` unless given; may carry a port. */
  readonly host: string;
  /** `library` unless given. */
  readonly namespace: string;
  readonly model: string;
  /** `latest` unless given. */
  readonly tag: string;
}

const defaultHost = 'registry.ollama.ai';
const defaultNamespace = 'library';

/** Path below `manifests/`: four components. */
export function manifestPath({ host, namespace, model, tag }: OllamaName): string {
  return [host, namespace, model, tag].join('/');
}

/** As `ollama list` shows it: without the default host and namespace, always with the tag. */
export function shownName({ host, namespace, model, tag }: OllamaName): string {
  const place = same(host, defaultHost)
    ? same(namespace, defaultNamespace)
      ? []
      : [namespace]
    : [host, namespace];
  return `${[...place, model].join('/')}:${tag}`;
}

/** The same name, as Ollama compares them. */
export function sameName(a: OllamaName, b: OllamaName): boolean {
  return same(manifestPath(a), manifestPath(b));
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A name from its path below `manifests/`; undefined for what is none. */
export function nameFromPath(path: string): OllamaName | undefined {
  const [host, namespace, model, tag, ...rest] = path.split('/');
  if (!host || !namespace || !model || !tag || rest.length > 0) return undefined;
  const name = { host, namespace, model, tag };
  return problemOf(name) ? undefined : name;
}

/** Throws `usage` with the reason for what Ollama would not take (types/model/name.go of ollama/ollama). */
export function parseOllamaName(text: string): OllamaName {
  const name = split(text);
  const problem = problemOf(name);
  if (!problem) return name;
  throw new AixclError('usage', `${quoted(text)} is not a name that Ollama takes: ${problem}`, {
    hint: 'aixcl models list',
  });
}

/**
 * Throws `refused` for a name that Ollama's API takes for another: from the tag `local` it drops the tag, so that `tea:local` would be
 * `tea:latest`, whatever stands on the disk (internal/modelref of ollama/ollama).
 */
export function assertReachable(text: string): void {
  const name = parseOllamaName(text);
  if (!same(name.tag, 'local')) return;
  const shown = shownName(name);
  throw new AixclError(
    'refused',
    `Ollama reads ${shown} as ${shownName({ ...name, tag: 'latest' })}, another model`,
    {
      hint: `docker exec ollama ollama cp ${shown} ${shownName({ ...name, tag: 'mine' })}`,
    },
  );
}

function split(text: string): OllamaName {
  const parts = text.split('/');
  const last = parts.pop() ?? '';
  const colon = last.lastIndexOf(':');
  const model = colon < 0 ? last : last.slice(0, colon);
  const tag = colon < 0 ? 'latest' : last.slice(colon + 1);
  const namespace = parts.pop() ?? defaultNamespace;
  const host = parts.length > 0 ? parts.join('/').replace(/^.*?:\/\//, '') : defaultHost;
  return { host, namespace, model, tag };
}

const rules = [
  { part: 'host', pattern: /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/ },
  { part: 'namespace', pattern: /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/ },
  { part: 'model', pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/ },
  { part: 'tag', pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/ },
] as const;

function problemOf(name: OllamaName): string | undefined {
  const wrong = rules.find(({ part, pattern }) => !pattern.test(name[part]));
  return wrong && `its ${wrong.part} is ${quoted(name[wrong.part])}`;
}

/** Whether `text` is a spelling of `name`; false for what is no name. */
export function meansOllamaName(text: string, name: string): boolean {
  const [given, meant] = [split(text), split(name)];
  return !problemOf(given) && sameName(given, meant);
}
