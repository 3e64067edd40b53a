/**
 * The GGUF container format, version 3 (github.com/ggml-org/ggml, docs/gguf.md): a header, typed key-value metadata, tensor
 * descriptions, then tensor data, each tensor at a multiple of `general.alignment`. All integers little-endian.
 */
export const ggufMagic = 'GGUF';
export const ggufDefaultAlignment = 32;

/** Metadata value types by their number in the file. */
export const valueTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type ScalarType = Exclude<keyof typeof valueTypes, 'array'>;

/** Bytes of each type in the file; a string's is its length prefix. */
export const scalarSize: Readonly<Record<ScalarType, number>> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
  string: 8,
};

/** A metadata value with the type that it has in the file. 64-bit integers are bigint. */
export type GgufValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'uint64' | 'int64'; readonly value: bigint }
  | {
      readonly type: Exclude<ScalarType, 'string' | 'bool' | 'uint64' | 'int64'>;
      readonly value: number;
    }
  | {
      readonly type: 'array';
      readonly of: ScalarType;
      readonly value: readonly (string | number | bigint | boolean)[];
    };

/**
 * Tensor types by their number in the file: name, elements per block, bytes per block (`ggml.c`, `type_traits`).
 * Numbers that are missing here were retired or came later than this table.
 */
export const tensorTypes: ReadonlyMap<number, { name: string; block: number; bytes: number }> = new Map(
  (
    [
      [0, 'F32', 1, 4],
      [1, 'F16', 1, 2],
      [2, 'Q4_0', 32, 18],
      [3, 'Q4_1', 32, 20],
      [6, 'Q5_0', 32, 22],
      [7, 'Q5_1', 32, 24],
      [8, 'Q8_0', 32, 34],
      [9, 'Q8_1', 32, 36],
      [10, 'Q2_K', 256, 84],
      [11, 'Q3_K', 256, 110],
      [12, 'Q4_K', 256, 144],
      [13, 'Q5_K', 256, 176],
      [14, 'Q6_K', 256, 210],
      [15, 'Q8_K', 256, 292],
      [16, 'IQ2_XXS', 256, 66],
      [17, 'IQ2_XS', 256, 74],
      [18, 'IQ3_XXS', 256, 98],
      [19, 'IQ1_S', 256, 50],
      [20, 'IQ4_NL', 32, 18],
      [21, 'IQ3_S', 256, 110],
      [22, 'IQ2_S', 256, 82],
      [23, 'IQ4_XS', 256, 136],
      [24, 'I8', 1, 1],
      [25, 'I16', 1, 2],
      [26, 'I32', 1, 4],
      [27, 'I64', 1, 8],
      [28, 'F64', 1, 8],
      [29, 'IQ1_M', 256, 56],
      [30, 'BF16', 1, 2],
      [34, 'TQ1_0', 256, 54],
      [35, 'TQ2_0', 256, 66],
      [39, 'MXFP4', 32, 17],
    ] as const
  ).map(([number, name, block, bytes]) => [number, { name, block, bytes }]),
);

/** Number in the file of a tensor type's name. */
export function tensorTypeNumber(name: string): number {
  for (const [number, type] of tensorTypes) if (type.name === name) return number;
  throw new Error(`No GGUF tensor type is called ${name}`);
}
