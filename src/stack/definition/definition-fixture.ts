import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { AixclError } from '../../errors.ts';
import { type LoadOptions, loadDefinition } from './load.ts';

/** Folder of the Compose files of the test that runs; a new one for each. */
export let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aixcl-definition-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

export function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export const load = (content: string, options: Partial<LoadOptions> = {}) =>
  loadDefinition({
    files: options.files ?? [write('a.yaml', content)],
    profiles: [],
    env: { HOME: '/home/x' },
    ...options,
  });

/** Message, hint and evidence of what `promise` is refused with, paths shortened to file names. */
export async function refusal(
  promise: Promise<unknown>,
): Promise<{ lines: string[]; hint: string | undefined; code: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AixclError)) throw new Error(`not refused: ${error}`);
  const lines = [error.message, ...error.evidence].map((line) => line.replaceAll(`${folder}/`, ''));
  return { lines, hint: error.hint, code: error.code };
}
