import { fileTypeName } from '../../../models/gguf/summary.ts';
import { countIn } from '../../../models/ollama/facts.ts';
import type { ListedModel, OllamaDetails } from '../../../models/ollama/runtime.ts';

/** What `POST /api/show` answers, as far as it is read here (api/types.go of ollama/ollama). */
export interface ShowAnswer {
  readonly license?: string;
  readonly template?: string;
  readonly details?: { readonly family?: string; readonly quantization_level?: string };
  readonly model_info?: Readonly<Record<string, unknown>> | null;
}

/** One model of what `GET /api/tags` answers. */
export interface TagsAnswer {
  readonly name: string;
  readonly digest?: string;
  readonly size?: number;
  readonly modified_at?: string;
  readonly details?: {
    readonly family?: string;
    /** `3.2B`. */
    readonly parameter_size?: string;
    readonly quantization_level?: string;
  };
}

export function listedModel({ name, digest, size, modified_at, details }: TagsAnswer): ListedModel {
  const modified = new Date(modified_at ?? 0);
  return {
    name,
    digest: digest ?? '',
    size: size ?? 0,
    modified: Number.isNaN(modified.getTime()) ? new Date(0) : modified,
    architecture: textOf(details?.family),
    parameters: countIn(textOf(details?.parameter_size)),
    quantization: knownOf(details?.quantization_level),
  };
}

export function detailsOf({ license, template, details, model_info }: ShowAnswer): OllamaDetails {
  const info = model_info ?? {};
  const architecture = textOf(info['general.architecture']) ?? textOf(details?.family);
  return {
    architecture,
    parameters: numberOf(info['general.parameter_count']),
    quantization: knownOf(details?.quantization_level) ?? fileTypeName(countOf(info['general.file_type'])),
    contextLength: architecture === null ? null : numberOf(info[`${architecture}.context_length`]),
    template: textOf(template),
    license: textOf(license),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Of a model that it made of a file it says `unknown`. */
function knownOf(value: unknown): string | null {
  return value === 'unknown' ? null : textOf(value);
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}
