import type { OllamaDetails } from '../../../models/ollama/runtime.ts';

/** What `POST /api/show` answers, as far as it is read here (api/types.go of ollama/ollama). */
export interface ShowAnswer {
  readonly license?: string;
  readonly template?: string;
  readonly details?: { readonly family?: string; readonly quantization_level?: string };
  readonly model_info?: Readonly<Record<string, unknown>> | null;
}

export function detailsOf({ license, template, details, model_info }: ShowAnswer): OllamaDetails {
  const info = model_info ?? {};
  const architecture = textOf(info['general.architecture']) ?? textOf(details?.family);
  return {
    architecture,
    parameters: numberOf(info['general.parameter_count']),
    quantization: textOf(details?.quantization_level),
    contextLength: architecture === null ? null : numberOf(info[`${architecture}.context_length`]),
    template: textOf(template),
    license: textOf(license),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}
