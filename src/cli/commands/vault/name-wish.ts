import { resolve } from 'node:path';
import { AixclError } from '../../../errors.ts';
import { type OllamaName, parseOllamaName, sameName } from '../../../models/ollama/name.ts';
import type { SnapshotWish } from '../../../vault/choose-snapshots.ts';
import type { Subject } from '../../../vault/subject.ts';

/** What `text` may mean: an id, or a subject in the spelling of any runtime. */
export function wishFor(text: string): SnapshotWish {
  // Also what is no version's id as it is spelled, so that it is told as that: `tea@v1`.
  const version = /^(.+)@\s*(v\d*|latest)?\s*$/is.exec(text);
  return { text, means: meaning(text), ...(version?.[1] && { meansModel: meaning(version[1]) }) };
}

function meaning(text: string): (subject: Subject) => boolean {
  const ollama = ollamaName(text);
  return ({ runtime, name }) => {
    if (runtime === 'directory') return name === resolve(text);
    if (runtime === 'llama-server' || runtime === 'volume') return name === text;
    const own = ollamaName(name);
    return ollama !== undefined && own !== undefined && sameName(ollama, own);
  };
}

function ollamaName(text: string): OllamaName | undefined {
  try {
    return parseOllamaName(text);
  } catch (error) {
    if (error instanceof AixclError) return undefined;
    throw error;
  }
}
