import { pipeline, Readable } from 'node:stream';
import { AixclError } from '../../../errors.ts';

export interface TarFile {
  readonly name: string;
  readonly size: number;
  /** `file`, `directory`, `symlink`, … */
  readonly kind: string;
  readonly modified: Date;
}

/** Each entry of a tar stream with its bytes, which are to be read, or left, before the next one is asked for. */
export async function* entriesOf(
  tar: Readable,
): AsyncGenerator<TarFile & { readonly bytes: AsyncIterable<Buffer> & { resume(): void } }> {
  const { extract } = await import('tar-stream');
  const unpacked = extract();
  // Its error reaches whoever reads the entries.
  pipeline(tar, unpacked, () => {});
  try {
    for await (const entry of unpacked) {
      const { name, size, type, mtime } = entry.header;
      yield {
        name,
        size: size ?? 0,
        kind: type ?? 'file',
        modified: mtime ?? new Date(0),
        bytes: entry as unknown as AsyncIterable<Buffer> & { resume(): void },
      };
      entry.resume();
    }
  } finally {
    tar.destroy();
  }
}

/** Bytes of the one regular file that a tar stream holds; fails with `verification` when it holds something else, or another size. */
export function onlyFile(tar: Readable, shown: string, size: number): Readable {
  async function* bytes() {
    for await (const entry of entriesOf(tar)) {
      if (entry.kind !== 'file' || entry.size !== size) {
        throw new AixclError('verification', `${shown} changed while it was read`, {
          hint: 'Let Ollama finish what it does, then run the command again.',
        });
      }
      yield* entry.bytes;
      return;
    }
  }
  return Readable.from(bytes(), { objectMode: false });
}

export interface NewFile {
  readonly name: string;
  readonly size: number;
  readonly bytes: Readable;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A tar stream of one new file of root's, as old as now. Fails with what reading `bytes` fails with, or when they have another size. */
export async function packed({ name, size, bytes, signal, onProgress }: NewFile): Promise<Readable> {
  const { pack } = await import('tar-stream');
  const tar = pack();
  const header = { name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date() };
  const entry = tar.entry(header, (error) => (error ? tar.destroy(error) : tar.finalize()));
  async function* counted() {
    let done = 0;
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      yield chunk as Buffer;
      done += (chunk as Buffer).length;
      onProgress?.(done);
    }
  }
  pipeline(Readable.from(counted(), { objectMode: false }), entry, (error) => error && tar.destroy(error));
  return Readable.from(tar, { objectMode: false });
}
