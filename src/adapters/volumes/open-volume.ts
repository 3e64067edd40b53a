import { AixclError } from '../../errors.ts';
import type { Source } from '../../vault/subject.ts';
import { ContainerFiles } from '../container-files.ts';
import {
  assertSame,
  filesInFolder,
  findVolume,
  type KeptVolume,
  lookAgain,
  startHelper,
  type VolumePlaces,
} from './kept-volume.ts';
import { volumeTarget } from './list-volume.ts';
import { volumeFacts } from './saved-tree.ts';

/** What a snapshot of a volume would hold: files of its folder, or streams from a helper that goes when it is closed. */
export async function openVolume(places: VolumePlaces, kept: KeptVolume): Promise<Source> {
  const { subject, saved, volume, folder, held } = kept;
  if (held !== null) throw heldBack(kept);
  const common = { subject, folders: saved.emptyFolders, facts: volumeFacts(saved, volume, folder) };
  if (folder !== undefined) {
    const files = await filesInFolder(kept, folder, await places.receipts());
    const assertUnchanged = async () => assertSame(kept, await findVolume(places, subject.name));
    return { ...common, files, assertUnchanged, [Symbol.asyncDispose]: async () => {} };
  }
  const helper = await startHelper(places, subject.name, 'read');
  const reader = new ContainerFiles(await places.engine(), helper.id);
  const files = saved.files.map(({ path, identity: { size } }) => ({
    path,
    size,
    digest: null,
    proven: false,
    bytes: {
      kind: 'stream' as const,
      open: async () => {
        const bytes = await reader.read(`${volumeTarget}/${path}`, path, size);
        if (bytes) return bytes;
        throw new AixclError('verification', `${path} of the volume ${subject.name} is gone`);
      },
    },
  }));
  const assertUnchanged = async () => assertSame(kept, await lookAgain(kept, helper, places));
  return { ...common, files, assertUnchanged, [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose]() };
}

function heldBack({ subject, held }: KeptVolume): AixclError {
  return new AixclError('refused', `the volume ${subject.name} stays: ${held}`, {
    hint: `Take it out of the volume first: docker volume inspect ${subject.name}`,
  });
}
