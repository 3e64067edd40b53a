/** A type that `llama-quantize` makes, as its own help tells it. */
export interface QuantizationType {
  readonly name: string;
  /** Bits of a weight, on the average of a large model; null where the help does not say. */
  readonly bits: number | null;
}

/** Its sizes are those of Llama 3 8B. */
const exampleWeights = 8.03e9;
const gibibyte = 2 ** 30;

/** Types out of what `llama-quantize --help` prints: `   2  or  Q4_0    :  4.34G, +0.4685 ppl @ Llama-3-8B`. */
export function parseTypes(help: string): QuantizationType[] {
  return [...help.matchAll(/^\s*\d+\s+or\s+(\S+)\s*:\s*(.*)$/gm)].map(([, name = '', about = '']) => {
    const bits = /^([\d.]+) bpw/.exec(about)?.[1];
    const size = /^([\d.]+)G,/.exec(about)?.[1];
    if (bits !== undefined) return { name, bits: Number(bits) };
    return { name, bits: size === undefined ? null : (Number(size) * gibibyte * 8) / exampleWeights };
  });
}

/** Those that llama-quantize makes by an importance matrix alone (`quantize.cpp`). */
export function needsImportanceMatrix(name: string): boolean {
  return /^(IQ1_S|IQ1_M|IQ2_XXS|IQ2_XS|IQ2_S|Q2_K_S)$/.test(name);
}

/** Bytes of a model of so many weights in that type; null where that can't be told. Never more than `most`. */
export function quantizedBytes({ bits }: QuantizationType, weights: number, most: number): number | null {
  return bits === null ? null : Math.min(most, Math.round((weights * bits) / 8));
}
