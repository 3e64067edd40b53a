import { readFile, realpath, stat } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import { parseLooseJson } from '../../models/evolution/loose-json.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';

/** What was measured, as it was given. */
export interface Metrics {
  readonly value: unknown;
  /** The file, to the letter. */
  readonly text: string;
}

const largestMetrics = 16 * 2 ** 20;

/** Reads a JSON file of any nesting; `NaN` and infinities are numbers. Throws `notFound`, or `usage` for what is no JSON. */
export async function readMetrics(path: string): Promise<Metrics> {
  const no = (why: string) =>
    new AixclError('usage', `the metrics ${quoted(path)} can't be used: ${why}`, {
      hint: '--metrics FILE: one JSON document',
    });
  let text: string;
  try {
    const stats = await stat(path);
    // A pipe of the shell's (`<(…)`) has no path of its own, and ends; one that lies on a disk may be waited for without end.
    if (!stats.isFile() && !stats.isDirectory() && (await isOnDisk(path))) throw no('it is no file');
    if (stats.size > largestMetrics) throw no('the file is larger than 16 MiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new AixclError('notFound', `there is no file ${quoted(path)}`, {
        hint: `ls -la ${shellWord(path)}`,
      });
    }
    if (code === 'EISDIR') throw no('it is a folder');
    throw error;
  }
  try {
    const value = parseLooseJson(text);
    // What can't be written can't be kept: nested some thousands deep.
    JSON.stringify(value);
    return { value, text };
  } catch (error) {
    throw no(error instanceof RangeError ? 'it is nested too deeply' : 'it is no JSON');
  }
}

async function isOnDisk(path: string): Promise<boolean> {
  return await realpath(path).then(
    () => true,
    () => false,
  );
}
