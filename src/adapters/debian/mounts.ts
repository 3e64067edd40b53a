import { lstat, readFile, rm } from 'node:fs/promises';
import { runCommand } from './run-command.ts';

/** Removes a folder in which something may be mounted: that is unmounted first, since it would be emptied too. */
export async function removeTree(directory: string): Promise<void> {
  if (!(await lstat(directory).catch(() => undefined))) return;
  await unmountUnder(directory);
  await rm(directory, { recursive: true, force: true });
}

/** Unmounts `directory` and all below it; throws when one of them is in use. */
export async function unmountUnder(directory: string): Promise<void> {
  for (const target of await mountsUnder(directory)) await runCommand('umount', [target]);
}

/** Deepest first. Source: proc(5), mountinfo: the fifth field, with blanks as octal escapes. */
async function mountsUnder(directory: string): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((target) => target === directory || target.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}

function unescaped(field: string): string {
  return field.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
