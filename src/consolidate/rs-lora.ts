import { AixclError } from '../errors.ts';

/** What `adapter_config.json`, as PEFT writes it, says of the scale. */
export interface AdapterConfig {
  readonly useRsLora: boolean;
  readonly alpha: number | undefined;
}

/** `path` names it in the error (`AixclError`) when `text` is no such configuration. */
export function parseAdapterConfig(text: string, path: string): AdapterConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new AixclError('verification', `${path} is no JSON`, { hint: `cat ${path}`, cause });
  }
  const { use_rslora: rsLora, lora_alpha: alpha } = (config ?? {}) as Record<string, unknown>;
  return { useRsLora: rsLora === true, alpha: typeof alpha === 'number' ? alpha : undefined };
}

export interface ScaleRule {
  readonly rsLora: boolean;
  /** A reason for people; begins with a small letter. */
  readonly because: string;
}

/**
 * By which rule the adapter's alpha becomes its scale. A GGUF adapter does not say whether it was trained with rsLoRA: what the user says counts,
 * else the configuration beside it. `alpha` is the GGUF's: where the configuration has another, the converter put the rule into it already.
 */
export function scaleRule(
  asked: boolean | undefined,
  config: AdapterConfig | undefined,
  alpha: number,
): ScaleRule {
  if (asked !== undefined) return { rsLora: asked, because: 'as asked' };
  if (!config)
    return { rsLora: false, because: 'as llama-server has it; no adapter_config.json says otherwise' };
  if (!config.useRsLora) return { rsLora: false, because: 'adapter_config.json says nothing of rsLoRA' };
  if (config.alpha !== undefined && Math.abs(config.alpha - alpha) > 1e-6 * Math.abs(config.alpha)) {
    return {
      rsLora: false,
      because: 'adapter_config.json says rsLoRA, and the alpha of the GGUF takes it into account',
    };
  }
  return { rsLora: true, because: 'adapter_config.json says rsLoRA' };
}
