import { isAbsolute, normalize } from 'node:path';
import { AixclError } from '../../../errors.ts';
import { nameProblem } from '../../../models/model-name.ts';
import { nameFromPath, parseOllamaName, shownName } from '../../../models/ollama/name.ts';
import { hexOf } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { modelFiles } from '../../../vault/version-files.ts';

/**
 * Throws `verification` for a snapshot from elsewhere whose names would lead out of where its runtime keeps models: such a one is never taken
 * in, whatever its bytes are.
 */
export function assertRestorable(
  file: string,
  snapshot: Pick<Snapshot, 'id' | 'kind' | 'subject' | 'files' | 'facts'>,
): void {
  const { id, subject } = snapshot;
  // What a version has beside its model's files goes to no runtime.
  const files = modelFiles(snapshot);
  const refuse = (why: string): never => {
    throw new AixclError('verification', `${file} holds ${id} of ${JSON.stringify(subject.name)}, ${why}`, {
      hint: 'Nothing was taken from it.',
    });
  };
  switch (subject.runtime) {
    case 'directory':
      if (
        !isAbsolute(subject.name) ||
        normalize(subject.name) !== subject.name ||
        subject.name.includes('\0')
      )
        refuse('which is no absolute path');
      return;
    case 'volume':
      if (!isVolumeName(subject.name)) refuse('which is no name of a volume');
      return;
    case 'llama-server': {
      const problem = nameProblem(subject.name);
      if (problem) refuse(`which is no model's name: ${problem}`);
      const wrong = files.find(({ path }) => path.split('/').some((part) => nameProblem(part) !== undefined));
      if (wrong) refuse(`whose file ${JSON.stringify(wrong.path)} has no name that a model's file can have`);
      return;
    }
    case 'ollama': {
      if (!isOllamaName(subject.name)) refuse('which is no name that Ollama takes');
      const wrong = files.find(({ path, digest }) => {
        const manifest = path.startsWith('manifests/') && nameFromPath(path.slice('manifests/'.length));
        return !manifest && path !== `blobs/sha256-${hexOf(digest)}`;
      });
      if (wrong) refuse(`whose file ${JSON.stringify(wrong.path)} has no place in Ollama's store`);
    }
  }
}

/** As the engine takes them (`names.RestrictedNamePattern` of moby). */
function isVolumeName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text);
}

function isOllamaName(text: string): boolean {
  try {
    return shownName(parseOllamaName(text)) === text;
  } catch (error) {
    if (error instanceof AixclError) return false;
    throw error;
  }
}
