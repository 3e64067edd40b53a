import { isAbsolute, resolve } from 'node:path';
import { AixclError } from '../errors.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';
import { parseOllamaName, shownName } from './ollama/name.ts';

/** Whether a user who writes `text` may mean `subject`: in its runtime's spelling, in any that Ollama takes for the same, or as a path. */
export function means(text: string, subject: Subject): boolean {
  if (text === subject.name) return true;
  if (subject.runtime === 'directory') return resolve(text) === subject.name;
  if (subject.runtime !== 'ollama') return false;
  try {
    return shownName(parseOllamaName(text)).toLowerCase() === subject.name.toLowerCase();
  } catch (error) {
    if (error instanceof AixclError && error.code === 'usage') return false;
    throw error;
  }
}

/** Those of the snapshots whose subject `text` means: a model, or where none has that name, a folder. */
export function findNamed(snapshots: readonly Snapshot[], text: string): Snapshot[] {
  const named = snapshots.filter(({ subject }) => means(text, subject));
  const models = named.filter(({ subject }) => subject.runtime !== 'directory');
  return models.length > 0 ? models : named;
}

/** True for what a shell completes as a path; a model's name is none of these. */
export function isPath(text: string): boolean {
  return isAbsolute(text) || /^\.{1,2}(\/|$)/.test(text) || text.endsWith('/') || text.includes('/');
}
