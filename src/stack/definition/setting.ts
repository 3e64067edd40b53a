import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Problems } from './problems.ts';

/** What the values of a definition are read against. */
export interface Setting {
  readonly project: string;
  /** Absolute; relative paths start here. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: Problems;
  readonly warn: (line: string) => void;
}

/** The path that `written` means: `~` is the home folder, relative ones start at the folder of the first file. */
export function absolutePath(written: string, setting: Pick<Setting, 'directory' | 'env'>): string {
  if (written.startsWith('~')) return join(setting.env.HOME || homedir(), written.slice(1));
  return isAbsolute(written) ? written : join(setting.directory, written);
}

/** Leaves out what is undefined, so that "absent" has one spelling. */
export function withoutAbsent<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
