import { createHash } from 'node:crypto';
import { writeGguf } from '../../src/models/gguf/write.ts';
import { selfTestModel } from '../../src/models/self-test-model.ts';

/** Writes a GGUF that every check of structure passes, with so many bytes of noise among its weights. `path` is new. */
export async function writeNoisyModel(
  path: string,
  { sentence, seed, noise }: { readonly sentence: string; readonly seed: string; readonly noise: number },
): Promise<void> {
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
  await writeGguf(path, metadata, tensors);
}

/** The same for the same seed, and not to be compressed. */
export function* noiseOf(seed: string, size: number): Generator<Uint8Array> {
  for (let done = 0; done < size; ) {
    const chunk = createHash('shake256', { outputLength: Math.min(1 << 20, size - done) })
      .update(`${seed} ${done}`)
      .digest();
    yield chunk;
    done += chunk.length;
  }
}
