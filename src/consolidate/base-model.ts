import { AixclError } from '../errors.ts';
import { tensorTypes } from '../models/gguf/format.ts';
import type { Extent, GgufHeader } from '../models/gguf/header.ts';
import { tensorBytes } from '../models/gguf/structure.ts';
import { summarize } from '../models/gguf/summary.ts';

/** A model of one file or several, read as one. */
export interface BaseModel {
  readonly version: number;
  readonly architecture: string;
  readonly alignment: number;
  /** In the order of the files. */
  readonly tensors: ReadonlyMap<string, BaseTensor>;
  /** Keys that the merged model has too, where they lie in the first file: all but `split.*`. */
  readonly keys: ReadonlyMap<string, Extent>;
  readonly embedsOnly: boolean;
}

export interface BaseTensor {
  readonly name: string;
  /** Elements per dimension, the contiguous one first. */
  readonly shape: readonly number[];
  /** `F16`, `Q8_0`, … */
  readonly type: string;
  /** Number of the file, from 0. */
  readonly file: number;
  /** Bytes from the start of that file. */
  readonly at: number;
  readonly bytes: number;
}

/** `headers`: of the shards, in order. Throws `AixclError` when they make no model that something could be merged into. */
export function readBase(headers: readonly GgufHeader[]): BaseModel {
  const [first] = headers;
  if (!first) throw new Error('a base has a file at least');
  const { architecture, role, shards } = summarize(first);
  if (role === 'adapter')
    throw refused('The base is an adapter itself', 'Give the model that it was trained on.');
  if (!architecture)
    throw refused('The base does not say its architecture: general.architecture is missing', convertAgain);
  if (shards !== headers.length) {
    throw refused(
      `The base is one of ${shards} shards, of which ${headers.length} were given`,
      'Name the folder that all of them lie in.',
    );
  }
  const tensors = new Map<string, BaseTensor>();
  for (const [file, header] of headers.entries()) {
    const number = header.metadata.get('split.no') ?? file;
    if (number !== file)
      throw refused(
        `Shard ${file + 1} of the base says that it is shard ${Number(number) + 1}`,
        convertAgain,
      );
    for (const tensor of tensorsOf(header, file)) {
      if (tensors.has(tensor.name))
        throw refused(`The base has the tensor ${tensor.name} twice`, convertAgain);
      tensors.set(tensor.name, tensor);
    }
  }
  return {
    version: first.version,
    architecture,
    alignment: first.alignment,
    tensors,
    keys: new Map([...first.extents].filter(([key]) => !key.startsWith('split.'))),
    embedsOnly: role === 'embedding',
  };
}

function tensorsOf(header: GgufHeader, file: number): BaseTensor[] {
  return header.tensors.map((tensor) => {
    const type = tensorTypes.get(tensor.type)?.name;
    if (!type)
      throw refused(
        `Tensor ${tensor.name} of the base has the type ${tensor.type}, which is not known here`,
        inSixteenBits,
      );
    return {
      name: tensor.name,
      shape: tensor.shape.map(Number),
      type,
      file,
      at: header.dataOffset + Number(tensor.offset),
      bytes: Number(tensorBytes(tensor)),
    };
  });
}

const convertAgain =
  "Get the base again, or make it anew from the original with llama.cpp's convert_hf_to_gguf.py.";
const inSixteenBits = 'Give the base in F16 or BF16.';

function refused(message: string, hint: string): AixclError {
  return new AixclError('refused', message, { hint });
}
