import type { About } from '../../adapters/models-directory/upload-folder.ts';
import { AixclError } from '../../errors.ts';
import { type ModelName, nameProblem, parseShardName, quoted } from '../../models/model-name.ts';
import { strangeCharacter } from '../api.ts';

/** What an upload says of itself before its first byte comes, looked at (src/upload/api.ts). */
export type Announced = Omit<About, 'created'>;

const mostParts = 1000;

/** Reads the metadata of a tus upload; throws `usage` with what is wrong. */
export function parseAnnounced(
  metadata: Readonly<Record<string, string | null>>,
  size: number | undefined,
): Announced {
  const value = (key: string) => (Object.hasOwn(metadata, key) ? metadata[key] || null : null);
  if (size === undefined || !Number.isSafeInteger(size)) {
    throw new AixclError('usage', 'An upload says at its beginning how long it is');
  }
  if (size === 0) throw new AixclError('usage', 'The file is empty', { hint: 'Choose a .gguf file.' });
  const file = parseName(value('filename') ?? '', 'file');
  if (!file.endsWith('.gguf')) {
    throw new AixclError('usage', `${quoted(file)} does not end in .gguf`, {
      hint: /\.gguf$/i.test(file)
        ? 'Rename it, with .gguf in small letters, then upload it again.'
        : 'Upload a model in the GGUF format.',
    });
  }
  const folder = value('model');
  const shard = parseShardName(file);
  const stated = parseCount(value('parts'));
  const parts = stated ?? shard?.count ?? null;
  if (parts !== null && parts > mostParts) {
    throw new AixclError('usage', `A model has at most ${mostParts} files, not ${parts}`);
  }
  if (folder !== null && parts === null) {
    throw new AixclError('usage', `How many files ${quoted(folder)} has is not said`);
  }
  if (parts !== null && folder === null && !shard) {
    throw new AixclError('usage', `The model that ${quoted(file)} is a part of is not named`);
  }
  const name = folder ?? shard?.stem;
  return {
    file,
    model: name === undefined ? file : parseName(name, 'model'),
    parts,
    sha256: parseSha256(value('sha256')),
    agreed: value('replace') === 'yes',
    size,
  };
}

function parseName(text: string, what: 'file' | 'model'): ModelName {
  const problem = nameProblem(text) ?? strangeness(text);
  if (problem === undefined) return text as ModelName;
  // Who sends a name of any length gets no answer of that length.
  const shown = quoted(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  throw new AixclError('usage', `${shown} can't be the name of a ${what}: ${problem}`, {
    hint: 'Rename the file, then upload it again.',
  });
}

/** By its number: it may not show. */
function strangeness(text: string): string | undefined {
  const [character] = strangeCharacter.exec(text) ?? [];
  if (character === undefined) return undefined;
  const number = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return `it holds a character that no name has, U+${number}`;
}

function parseCount(text: string | null): number | null {
  if (text === null) return null;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new AixclError('usage', 'The number of files of a model is a whole number from 1 on');
}

function parseSha256(text: string | null): string | null {
  if (text === null) return null;
  const hex = text
    .trim()
    .replace(/^sha256:/i, '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new AixclError('usage', 'A sha256 has 64 hex digits', { hint: 'sha256sum FILE' });
}
