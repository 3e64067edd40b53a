import { type PageModel, type PageState, type PageUpload, strangeCharacter } from '../../api.ts';
import type { Metadata } from '../sending/sender.ts';
import type { Chosen, Proposal } from './grouping.ts';

/** A model that is about to be uploaded, as far as somebody has said what is to become of it. */
export interface Draft<F extends Chosen = Chosen> {
  readonly proposal: Proposal<F>;
  /** Of the folder that several files make; of one file it is the file's. */
  readonly name: string;
  /** Of its files, by their names, as somebody gave them; none or empty: not given. */
  readonly sha256: Readonly<Record<string, string>>;
  /** What to do where the name is taken; null: not said. */
  readonly answer: 'replace' | 'rename' | 'skip' | null;
  /** For `rename`. */
  readonly newName: string;
}

/** Who has the name: a model, something that is none, or an upload under way. */
export type Taker =
  | { readonly kind: 'model'; readonly model: PageModel }
  | { readonly kind: 'entry'; readonly why: string }
  | { readonly kind: 'upload'; readonly upload: PageUpload };

export function draftOf<F extends Chosen>(proposal: Proposal<F>): Draft<F> {
  const { kind, name } = proposal;
  const draft = { proposal, name, sha256: {}, answer: null, newName: `${name}-2` };
  if (kind !== 'file') return { ...draft, name: nameLike(name, false) };
  return nameFault(name, true) === null
    ? { ...draft, newName: name.replace(/\.gguf$/, '-2.gguf') }
    : { ...draft, answer: 'rename', newName: nameLike(name, true) };
}

/** The name that its model will have. */
export function nameOf({ name, newName, answer }: Draft): string {
  return answer === 'rename' ? newName : name;
}

/** A folder that waits for more of its files is not taken: these join it. */
export function takerOf({ proposal }: Draft, name: string, state: PageState): Taker | null {
  const model = state.models.find((each) => each.runtime === 'llama-server' && each.name === name);
  if (model) return { kind: 'model', model };
  const entry = state.unusable.find((each) => each.name === name);
  if (entry) return { kind: 'entry', why: entry.why };
  const upload = state.uploads.find((each) => each.model === name && isAnother(each, proposal));
  return upload ? { kind: 'upload', upload } : null;
}

function isAnother(upload: PageUpload, { kind, files }: Proposal): boolean {
  if (kind === 'file' || upload.parts === null) return true;
  return files.some(({ name }) => name === upload.file);
}

/** Why it can't go like this, by the field that it is about; nothing: it can. */
export interface Faults {
  readonly name?: string;
  /** Of its files, by their names. */
  readonly sha256?: Readonly<Record<string, string>>;
  readonly answer?: string;
}

export function faultsOf(draft: Draft, others: readonly Draft[], state: PageState): Faults {
  if (draft.answer === 'skip') return {};
  const name = nameOf(draft);
  const taker = takerOf(draft, draft.name, state);
  const isTwice = others.some(
    (other) => other !== draft && other.answer !== 'skip' && nameOf(other) === name,
  );
  const wrong =
    nameFault(name, draft.proposal.kind === 'file') ??
    (isTwice ? 'two of these have this name' : null) ??
    (draft.answer === 'rename' && takerOf(draft, name, state) ? 'this name is taken, too' : null);
  const noDigests = draft.proposal.files.filter(
    (file) => sha256Of(draft, file) !== '' && digestIn(sha256Of(draft, file)) === null,
  );
  const sha256 = noDigests.map((file) => [file.name, 'it has 64 digits of 0–9 and a–f'] as const);
  return {
    ...(wrong && { name: wrong }),
    ...(sha256.length > 0 && { sha256: Object.fromEntries(sha256) }),
    ...(taker && draft.answer === null && { answer: 'choose one of these' }),
  };
}

/** As it was given, empty where it was not. */
export function sha256Of({ sha256 }: Draft, { name }: Chosen): string {
  return Object.hasOwn(sha256, name) ? sha256[name]! : '';
}

/** Why `name` is none that the server takes, as far as the page can tell. */
export function nameFault(name: string, isFile: boolean): string | null {
  if (name === '') return 'it is empty';
  if (name.includes('/')) return 'it holds a slash';
  if (name.startsWith('.')) return 'it begins with a dot';
  if (name.startsWith('-')) return 'it begins with a dash';
  if (/\p{Cc}/u.test(name)) return 'it holds a control character';
  if (name.includes('\ufffd')) return 'it is not valid UTF-8';
  if (name !== name.trim()) return 'it begins or ends with a space';
  if (strangeCharacter.test(name)) return 'it holds a character that does not show';
  if (bytesIn(name) > most) return `it is longer than ${most} bytes`;
  if (isFile && !name.endsWith('.gguf')) return 'it does not end in .gguf, in small letters';
  if (name === 'current.gguf') return 'it is kept for the link to the active model';
  if (name === 'init-models.sh') return 'it is kept for the script of that name';
  return null;
}

const most = 255;

/** `name` where the server takes it, else the nearest one that it does. */
export function nameLike(name: string, isFile: boolean): string {
  if (nameFault(name, isFile) === null) return name;
  const end = isFile ? '.gguf' : '';
  const shown = [...name].filter((character) => !strangeCharacter.test(character) && character !== '\ufffd');
  let stem = shown
    .join('')
    .replaceAll('/', '-')
    .replace(/^[-.\s]+/, '');
  if (isFile) stem = stem.replace(/\.gguf\s*$/i, '');
  while (bytesIn(stem + end) > most) stem = [...stem].slice(0, -1).join('');
  const like = (stem.trim() || 'model') + end;
  return nameFault(like, isFile) === null ? like : `${stem.trim()}-2${end}`;
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What the server is told of one of its files. */
export function metadataOf(draft: Draft, file: Chosen): Metadata {
  const { proposal, answer } = draft;
  const isFile = proposal.kind === 'file';
  const sha256 = digestIn(sha256Of(draft, file));
  return {
    filename: isFile ? nameOf(draft) : nameLike(file.name, true),
    ...(!isFile && { model: nameOf(draft), parts: String(proposal.parts) }),
    ...(sha256 && { sha256 }),
    ...(answer === 'replace' && { replace: 'yes' as const }),
  };
}

/** Also as tools print it: `sha256:…`, in capitals, with spaces around, the file's name behind it. */
function digestIn(text: string): string | null {
  return /^\s*(?:sha256:)?([0-9a-f]{64})(?:\s.*)?$/is.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** Bytes. `free` is what is left once the uploads under way are whole. */
export interface Room {
  readonly needed: number;
  readonly free: number;
  readonly total: number;
}

export function roomFor(drafts: readonly Draft[], { space, uploads }: PageState): Room {
  const going = drafts.filter(({ answer }) => answer !== 'skip').flatMap(({ proposal }) => proposal.files);
  const coming = uploads.reduce((sum, { size, received }) => sum + size - received, 0);
  return {
    needed: going.reduce((sum, { size }) => sum + size, 0),
    free: Math.max(0, space.models.free - coming),
    total: space.models.total,
  };
}
