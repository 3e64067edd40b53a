import prettyBytes from 'pretty-bytes';
import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { Snapshot } from '../vault/snapshot.ts';

/** The disk that a snapshot is brought back to. */
export interface RestorePlace {
  /** Absolute path, for people. */
  readonly path: string;
  /** Bytes; null where it can't be known, or where the keeper counts what is there already. */
  space(): Promise<{ readonly free: number } | null>;
}

/** Throws `noSpace` when a snapshot does not fit. Counts all of it, as if no two places could share blocks. */
export async function assertRestoreRoom(
  { id, size }: Pick<Snapshot, 'id' | 'size'>,
  place: RestorePlace,
): Promise<void> {
  const space = await place.space();
  if (!space || size <= space.free) return;
  throw new AixclError(
    'noSpace',
    `${id} needs ${prettyBytes(size)} on the disk of ${place.path}, which has ${prettyBytes(space.free)} free; nothing was changed`,
    { hint: `df -h ${shellWord(place.path)}` },
  );
}
