import { addProduct } from './add-product.ts';
import { assemble } from './assembler.ts';
import { conversions } from './conversions.ts';

/**
 * The arithmetic of a merge as a WebAssembly module of SIMD instructions: several times as fast as the same loops in JavaScript, which V8
 * does not vectorize.
 */
export function kernel(): Uint8Array {
  return assemble([...conversions(), addProduct()]);
}
