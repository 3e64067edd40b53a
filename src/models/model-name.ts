import { AixclError } from '../errors.ts';

declare const brand: unique symbol;
/**
 * Name of a GGUF model: that of its file, or of its folder when it has several. Always one plain component of a path, safe to join to the
 * models directory, to write on a line of its own and to hand to llama-server. Kept byte for byte: no case folding, no Unicode normalisation.
 */
export type ModelName = string & { readonly [brand]: 'ModelName' };

/** The link to the active model's first file. A name of its own for it would be taken for the link. */
export const activeLink = 'current.gguf';

const maximumBytes = 255;

/** Why `text` is no model name, or undefined when it is one. */
export function nameProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text === '.' || text === '..') return 'it names a folder of the system';
  if (text.includes('/')) return 'it holds a slash';
  if (text.startsWith('.')) return 'it begins with a dot';
  if (text.startsWith('-')) return 'it begins with a dash and would be taken for an option';
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) return 'it holds a control character';
  if (/[\p{Surrogate}\uFFFD]/u.test(text)) return 'it is not valid UTF-8';
  if (text !== text.trim()) return 'it begins or ends with a space';
  if (Buffer.byteLength(text) > maximumBytes) return `it is longer than ${maximumBytes} bytes`;
  if (text === activeLink) return 'it is kept for the link to the active model';
  if (text === 'init-models.sh') return 'it is kept for the script of that name';
  return undefined;
}

export function isModelName(text: string): text is ModelName {
  return nameProblem(text) === undefined;
}

/** `text` as a name; throws `usage` with the reason when it is none. */
export function parseModelName(text: string): ModelName {
  if (isModelName(text)) return text;
  throw new AixclError('usage', `${quoted(text)} is not a model's name: ${nameProblem(text)}`, {
    hint: 'aixcl models list',
  });
}

/** Anything for one line of a terminal: control characters and what is not UTF-8 escaped, in quotes. */
export function quoted(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Surrogate}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${plain}"`;
}

/** A file name as the disk has it; undefined where its bytes are not UTF-8, since no string would lead back to it. */
export function decodeFileName(raw: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return undefined;
  }
}

interface ShardName {
  readonly stem: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
}

/** Parts of `STEM-00001-of-00003.gguf`; undefined for a file that is not one of several. */
export function parseShardName(file: string): ShardName | undefined {
  const match = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/s.exec(file);
  if (!match) return undefined;
  const number = Number(match[2]);
  const count = Number(match[3]);
  if (number < 1 || number > count) return undefined;
  return { stem: match[1]!, number, count };
}

export function shardName({ stem, number, count }: ShardName): string {
  const five = (value: number) => String(value).padStart(5, '0');
  return `${stem}-${five(number)}-of-${five(count)}.gguf`;
}

/** By convention of llama.cpp the image encoder of a model is called `mmproj…gguf`. */
export function isProjectorName(file: string): boolean {
  return /^mmproj.*\.gguf$/is.test(file) || /[-._]mmproj[-._].*\.gguf$/is.test(file);
}
