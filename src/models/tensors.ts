import type { ByteSource } from './gguf/byte-source.ts';
import { ggufMagic, tensorTypes } from './gguf/format.ts';
import { GgufProblem, readHeader } from './gguf/header.ts';
import { checkBounds, tensorBytes } from './gguf/structure.ts';
import { readSafetensors, SafetensorsProblem } from './safetensors.ts';

/** A tensor of a GGUF or a safetensors file, and where its data lies. */
export interface TensorPlace {
  readonly name: string;
  /** `F16`, `Q4_K`, …; `type 99` where it came after our table. */
  readonly type: string;
  /** As the file has it: a GGUF names the contiguous dimension first, safetensors last. */
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly from: number;
  /** Null: only the file's next tensor, or its end, would tell. */
  readonly bytes: number | null;
}

/** Undefined for a file that is neither; a text, why it can't be read, for one that is not whole. */
export async function tensorsIn(
  path: string,
  source: ByteSource,
): Promise<readonly TensorPlace[] | string | undefined> {
  try {
    const magic = Buffer.from(await source.read(0, 4)).toString('latin1');
    if (magic === ggufMagic) return await ofGguf(source);
    return path.endsWith('.safetensors') ? await ofSafetensors(source) : undefined;
  } catch (error) {
    if (error instanceof GgufProblem || error instanceof SafetensorsProblem) return error.message;
    throw error;
  }
}

async function ofGguf(source: ByteSource): Promise<TensorPlace[]> {
  const header = await readHeader(source);
  checkBounds(header, source.size);
  return header.tensors.map((tensor) => {
    const bytes = tensorBytes(tensor);
    return {
      name: tensor.name,
      type: tensorTypes.get(tensor.type)?.name ?? `type ${tensor.type}`,
      shape: tensor.shape.map(Number),
      from: header.dataOffset + Number(tensor.offset),
      bytes: bytes === undefined ? null : Number(bytes),
    };
  });
}

async function ofSafetensors(source: ByteSource): Promise<TensorPlace[]> {
  const { tensors, dataOffset } = await readSafetensors(source);
  return tensors.map(({ name, dtype, shape, from, to }) => ({
    name,
    type: dtype,
    shape,
    from: dataOffset + from,
    bytes: to - from,
  }));
}
