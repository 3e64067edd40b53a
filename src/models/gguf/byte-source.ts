import type { FileHandle } from 'node:fs/promises';

/** Bytes that can be read anywhere: an open file, so that what is checked is what is used, whatever happens to its name. */
export interface ByteSource {
  readonly size: number;
  /** Bytes from `offset` on; fewer than `length` only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** `handle` stays open; its size is taken now. */
export async function fileSource(handle: FileHandle): Promise<ByteSource> {
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const buffer = Buffer.allocUnsafe(wanted);
      let got = 0;
      while (got < wanted) {
        const { bytesRead } = await handle.read(buffer, got, wanted - got, offset + got);
        if (bytesRead === 0) break;
        got += bytesRead;
      }
      return buffer.subarray(0, got);
    },
  };
}
