/** The types in which weights can be merged, and their number as `general.file_type` (`enum llama_ftype` of `llama.h`). */
export const floatTypes = { F32: 0, F16: 1, BF16: 32 } as const;

export type FloatType = keyof typeof floatTypes;

export function isFloatType(type: string): type is FloatType {
  return Object.hasOwn(floatTypes, type);
}

/**
 * Whether a file of 16-bit weights has this tensor in 16 bits, as `llama-quantize` and the converters of llama.cpp decide it
 * (`llama-quant.cpp`, `tensor_allows_quantization`): matrices called `….weight`, but for norms and those that are small or sensitive.
 */
export function isNarrowed(name: string, dimensions: number): boolean {
  return dimensions >= 2 && name.endsWith('weight') && !kept.test(name);
}

const kept = new RegExp(
  [
    /_norm\.weight/,
    /ffn_gate_inp\.weight|ffn_gate_tid2eid\.weight/,
    /altup|laurel|per_layer_model_proj/,
    /^(?:position_embd|token_types)\.weight$/,
    /ssm_conv1d|shortconv\.conv\.weight/,
    /indexer\.[kq]_proj\.weight/,
    /time_mix_(?:first|w[012]|v[012]|a[012]|g[12]|decay_w[12]|lerp_fused)\.weight/,
    /attn_rel_b\.weight|\.rel_pos/,
    /\.position_embd|sam\.(?:pos_embd|neck\.|net_)|\.patch_(?:embd|merger)/,
    /a\.rvq\.codebook|mm\.a\.code_embd/,
  ]
    .map(({ source }) => source)
    .join('|'),
);
