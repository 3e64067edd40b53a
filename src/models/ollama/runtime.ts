/**
 * The port to a running Ollama: its HTTP API. Throws `notRunning` when nobody answers, and `unexpected` with Ollama's own words; an error line
 * that comes with status 200 is an error like any other.
 */
export interface OllamaRuntime {
  /** `http://127.0.0.1:11434`. */
  readonly address: string;
  version(): Promise<string>;
  /** Names as `ollama list` shows them. */
  names(): Promise<readonly string[]>;
  /** Of each of these names the sha256 of its manifest, 64 hex digits: whether a store is this Ollama's shows by it. */
  digests(): Promise<ReadonlyMap<string, string>>;
  /** What its own list says of each model. */
  list(): Promise<readonly ListedModel[]>;
  show(name: string): Promise<OllamaDetails>;
  pull(
    name: string,
    options: { readonly insecure: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<PullLine>;
  /** `notFound` when there is none of this name. */
  delete(name: string): Promise<void>;
  /** Makes `target` another name of `source`. */
  copy(source: string, target: string): Promise<void>;
}

export interface ListedModel extends Pick<OllamaDetails, 'architecture' | 'parameters' | 'quantization'> {
  /** As `ollama list` shows it. */
  readonly name: string;
  /** sha256 of its manifest, 64 hex digits; empty where it is not told. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
}

export interface OllamaDetails {
  readonly architecture: string | null;
  readonly parameters: number | null;
  readonly quantization: string | null;
  readonly contextLength: number | null;
  readonly template: string | null;
  readonly license: string | null;
}

/** Some ten a second; a blob that comes faster may have none of its own. */
export interface PullLine {
  readonly status: string;
  /** Absent on lines about the whole. */
  readonly digest?: string;
  /** Bytes. */
  readonly total?: number;
  readonly completed?: number;
}
