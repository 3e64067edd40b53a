import { z } from 'zod';
import type { ByteSource } from './gguf/byte-source.ts';

/**
 * The safetensors format (github.com/huggingface/safetensors, README): eight bytes that say how long the header is, little-endian; the header,
 * a JSON object of tensors by name; then their data, without a hole.
 */
export interface Safetensors {
  readonly tensors: readonly Safetensor[];
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataOffset: number;
}

export interface Safetensor {
  readonly name: string;
  /** `F16`, `BF16`, `F32`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from `dataOffset`, and the byte after the last. */
  readonly from: number;
  readonly to: number;
}

/** The file is not whole, for the reason in `message`. */
export class SafetensorsProblem extends Error {
  constructor(message: string) {
    // Names out of a crafted file: no control characters for the terminal, no megabytes for the log.
    super(message.slice(0, 400).replace(/\p{Cc}/gu, '?'));
  }
}

/** As the format's own reader has it. */
const maximumHeader = 100_000_000;

/** Bytes of one element; a type that came later is not in the table, and its data not held against its shape. */
const widths: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['I64', 8],
  ['I32', 4],
  ['I16', 2],
  ['I8', 1],
  ['U64', 8],
  ['U32', 4],
  ['U16', 2],
  ['U8', 1],
  ['BOOL', 1],
]);

const count = z.int().nonnegative();
const entry = z.object({
  dtype: z.string(),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});

/** Reads the header and holds it against the size of the file; throws `SafetensorsProblem`. Weights are not read. */
export async function readSafetensors(source: ByteSource): Promise<Safetensors> {
  const head = Buffer.from(await source.read(0, 8));
  if (head.length < 8) throw new SafetensorsProblem(`it has ${source.size} bytes: it is truncated`);
  const length = head.readBigUInt64LE();
  if (length > BigInt(maximumHeader)) throw new SafetensorsProblem(`it claims a header of ${length} bytes`);
  const dataOffset = 8 + Number(length);
  if (dataOffset > source.size) throw new SafetensorsProblem('it ends within its header: it is truncated');
  const text = Buffer.from(await source.read(8, Number(length))).toString('utf8');
  const tensors = tensorsOf(text).sort((a, b) => a.from - b.from || a.to - b.to);
  checkExtents(tensors, source.size - dataOffset);
  return { tensors, dataOffset };
}

function tensorsOf(text: string): Safetensor[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new SafetensorsProblem('its header is no JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new SafetensorsProblem('its header is no JSON object');
  }
  return Object.entries(header).flatMap(([name, value]) => {
    if (name === '__metadata__') return [];
    const parsed = entry.safeParse(value);
    if (!parsed.success) throw new SafetensorsProblem(`its header says nothing usable of tensor ${name}`);
    const { dtype, shape, data_offsets } = parsed.data;
    const [from, to] = data_offsets;
    return [{ name, dtype, shape, from, to }];
  });
}

function checkExtents(tensors: readonly Safetensor[], room: number): void {
  let end = 0;
  for (const { name, dtype, shape, from, to } of tensors) {
    if (from !== end) throw new SafetensorsProblem(`tensor ${name} does not lie behind the one before it`);
    const width = widths.get(dtype);
    const bytes = shape.reduce((product, size) => product * size, width ?? 1);
    if (to < from || (width !== undefined && bytes !== to - from)) {
      throw new SafetensorsProblem(`tensor ${name} has ${to - from} bytes, its shape and type say ${bytes}`);
    }
    end = to;
  }
  if (end > room) {
    throw new SafetensorsProblem(`its tensors reach ${end - room} bytes past its end: it is truncated`);
  }
  if (end < room) throw new SafetensorsProblem(`${room - end} bytes of it belong to no tensor`);
}
