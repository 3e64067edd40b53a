import { pipeline, Readable } from 'node:stream';
import type { WorkOptions } from '../../vault/vault.ts';
import type { SavedAttributes } from './saved-tree.ts';

/** One entry of a tar stream. */
export type Packed = { readonly name: string; readonly attributes: SavedAttributes | undefined } & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly size: number; open(): Promise<Readable> }
);

/** A tar stream of these, one after the other. It fails with what reading one of them fails with. `onProgress`: bytes of files. */
export async function packFiles(
  entries: readonly Packed[],
  { signal, onProgress }: WorkOptions,
): Promise<Readable> {
  const { pack } = await import('tar-stream');
  const tar = pack();
  let done = 0;
  const counted = async function* (bytes: Readable) {
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      yield chunk as Buffer;
      done += (chunk as Buffer).length;
      onProgress?.(done);
    }
  };
  const add = async (entry: Packed) => {
    if (entry.kind === 'folder') {
      tar.entry(headerOf(entry));
      return;
    }
    const bytes = await entry.open();
    try {
      await new Promise<void>((resolve, reject) => {
        const into = tar.entry({ ...headerOf(entry), size: entry.size }, (error) =>
          error ? reject(error) : resolve(),
        );
        pipeline(
          Readable.from(counted(bytes), { objectMode: false }),
          into,
          (error) => error && reject(error),
        );
      });
    } finally {
      bytes.destroy();
    }
  };
  const all = async () => {
    for (const entry of entries) await add(entry);
    tar.finalize();
  };
  all().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar, { objectMode: false });
}

function headerOf({ name, kind, attributes }: Packed) {
  const { mode, mtime, owner } = attributes ?? {
    mode: kind === 'folder' ? 0o755 : 0o644,
    mtime: Date.now(),
    owner: { uid: 0, gid: 0 },
  };
  return {
    name,
    type: kind === 'folder' ? ('directory' as const) : ('file' as const),
    mode,
    ...owner,
    mtime: new Date(mtime),
    // A header of old has whole seconds.
    pax: { mtime: (mtime / 1000).toFixed(6) },
  };
}
