import { createCipheriv, createHash } from 'node:crypto';
import { encodeHeader, writeGguf } from '../../src/models/gguf/write.ts';
import { selfTestModel } from '../../src/models/self-test-model.ts';

interface NoiseWish {
  readonly sentence: string;
  readonly seed: string;
}

/**
 * Writes a GGUF that every check of structure passes, with so many bytes of noise among its weights. `path` is new. With noise llama-server does
 * not load it: it knows no such tensor.
 */
export async function writeNoisyModel(
  path: string,
  { sentence, seed, noise }: NoiseWish & { readonly noise: number },
): Promise<void> {
  const { metadata, tensors } = noisyModel(sentence, seed, noise);
  await writeGguf(path, metadata, tensors);
}

/** The same, of exactly `size` bytes: a multiple of 32, and above the half megabyte that the model itself takes. */
export async function writeModelOfSize(
  path: string,
  { sentence, seed, size }: NoiseWish & { readonly size: number },
): Promise<void> {
  // The header has the same length whatever the numbers in it are.
  const { metadata, tensors } = noisyModel(sentence, seed, 4);
  const others = tensors.slice(0, -1).map(({ shape }) => aligned(4 * shape.reduce((a, b) => a * b, 1)));
  const noise = size - encodeHeader(metadata, tensors).length - others.reduce((a, b) => a + b, 0);
  if (noise <= 0 || size % 32 !== 0) throw new Error(`no model of ${size} bytes can be made so`);
  await writeNoisyModel(path, { sentence, seed, noise });
}

/** All its tensors are F32. */
function noisyModel(sentence: string, seed: string, noise: number) {
  const { metadata, tensors } = selfTestModel(sentence);
  if (noise > 0) {
    const numbers = Math.ceil(noise / 4);
    tensors.push({
      name: 'noise.weight',
      shape: [numbers],
      type: 'F32',
      data: () => noiseOf(seed, numbers * 4),
    });
  }
  return { metadata, tensors };
}

/** The same for the same seed, and not to be compressed. */
export function* noiseOf(seed: string, size: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 20);
  for (let done = 0; done < size; done += zeros.length) {
    yield cipher.update(zeros.subarray(0, Math.min(zeros.length, size - done)));
  }
}

function aligned(size: number): number {
  return Math.ceil(size / 32) * 32;
}
