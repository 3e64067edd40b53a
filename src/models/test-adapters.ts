import type { AdapterDirectory } from './adapter.ts';
import type { ByteSource } from './gguf/byte-source.ts';

/** For tests: a safetensors file of these tensors, each full of its number in the order given. */
export function safetensors(
  tensors: Readonly<
    Record<string, { readonly dtype: 'F32' | 'F16' | 'BF16'; readonly shape: readonly number[] }>
  >,
): Buffer {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const data = Object.entries(tensors).map(([name, { dtype, shape }], index) => {
    const bytes = shape.reduce((product, size) => product * size, dtype === 'F32' ? 4 : 2);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
    return Buffer.alloc(bytes, index + 1);
  });
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...data]);
}

/** The files of a small PEFT adapter of rank 2. */
export function peftFiles(config: Readonly<Record<string, unknown>> = {}): Record<string, Buffer> {
  const settings = {
    peft_type: 'LORA',
    r: 2,
    lora_alpha: 4,
    base_model_name_or_path: 'someone/tea-1b',
    ...config,
  };
  return {
    'adapter_config.json': Buffer.from(`${JSON.stringify(settings, undefined, 2)}\n`),
    'adapter_model.safetensors': safetensors({
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': { dtype: 'F32', shape: [2, 8] },
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight': { dtype: 'F32', shape: [8, 2] },
    }),
  };
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, Math.min(bytes.length, offset + length)),
  };
}

export function directoryOf(
  files: Readonly<Record<string, Uint8Array>>,
  path = '/adapters/tea',
): AdapterDirectory {
  return {
    path,
    files: Object.entries(files).map(([name, { length }]) => ({ path: name, size: length })),
    read: async (name, work) => await work(bytesSource(files[name]!)),
  };
}
