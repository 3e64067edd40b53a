import type { Digest } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { OllamaLayer, OllamaManifest } from './manifest.ts';
import type { OllamaName } from './name.ts';

/** The port to the registries that Ollama pulls from. Nothing of what they say is trusted until it was hashed. */
export interface Registry {
  /** What a name stands for there now. Throws for nothing but the caller's signal. */
  look(name: OllamaName, options: LookOptions): Promise<RemoteModel>;
  /** Bytes that it has of a blob; null when it has none, or does not say how many. Throws `unexpected` when nobody answers. */
  blobSize(name: OllamaName, digest: Digest, options: LookOptions): Promise<number | null>;
  /** Fetches a blob to the new file `path`, which has the right bytes when this resolves. Throws `verification` when they are others. */
  fetchBlob(
    name: OllamaName,
    blob: Pick<OllamaLayer, 'digest' | 'size'>,
    path: string,
    options: FetchOptions,
  ): Promise<void>;
}

export interface LookOptions {
  readonly signal: AbortSignal;
  /** Plain http is allowed wherever the host is. */
  readonly insecure?: boolean;
}

export type FetchOptions = LookOptions & WorkOptions;

export type RemoteModel =
  | {
      readonly kind: 'found';
      readonly manifest: OllamaManifest;
      readonly content: Uint8Array;
      /** True: it was plain http that answered. */
      readonly insecure: boolean;
    }
  /** The registry says that it has none. */
  | { readonly kind: 'absent'; readonly why: string }
  /** Nobody answers from here, or not to us; Ollama may still reach it. */
  | { readonly kind: 'unreachable'; readonly why: string };
