import type { PageState } from '../../api.ts';
import { fingerprintOf, rememberedOf } from '../sending/remembered.ts';
import type { Senders } from '../sending/senders.ts';

/** Why a file is none that belongs here; null: it may. Reads four bytes, so that nobody waits for gigabytes to learn it. */
export async function wrongFile(file: File): Promise<string | null> {
  if (!/\.gguf$/i.test(file.name)) return 'its name does not end in .gguf';
  try {
    const begin = await file.slice(0, 4).text();
    return begin === 'GGUF' ? null : 'it is no GGUF file: it does not begin with GGUF';
  } catch {
    return 'it can not be read';
  }
}

/** Sends on what was begun with these very files, and answers the other files. */
export function goOn(files: readonly File[], { uploads }: PageState, senders: Senders): File[] {
  return files.filter((file) => {
    const begun = uploads.find(
      ({ id, phase }) =>
        phase === 'receiving' &&
        !senders.of(id) &&
        !senders.sentElsewhere(id) &&
        rememberedOf(id) === fingerprintOf(file),
    );
    if (!begun) return true;
    senders.add(file, { filename: begun.file }, begun);
    return false;
  });
}
