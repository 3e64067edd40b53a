/** Bytes that may have come since the last look. */
const lookEvery = 4 * 2 ** 20;

let come = 0;

/**
 * To be told of all that came by the network, in bytes. It lies outside V8's heap and is garbage a moment later; V8 would mark its whole heap
 * for it some forty times a GiB, which takes longer than to receive and write it. A look through what is young takes a quarter of a millisecond.
 * Needs `--expose-gc`, and does nothing without.
 */
export function networkBytesCame(bytes: number): void {
  come += bytes;
  if (come < lookEvery) return;
  come = 0;
  globalThis.gc?.({ type: 'minor' });
}
