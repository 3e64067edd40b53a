import { existsSync } from 'node:fs';
import { lstat, readFile, rm } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import { installPackages } from './apt.ts';
import { debianHost, whyNoPackages } from './host.ts';
import { type Report, runCommand, succeeds } from './run-command.ts';

export interface DebootstrapOptions {
  /** Packages beside a minimal Debian. */
  readonly packages: readonly string[];
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Fetches packages into `var/cache/apt/archives` of the directory and unpacks nothing. */
  readonly downloadOnly?: boolean;
}

/** The suite that has llama.cpp and a current engine. */
export const suite = 'sid';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Makes a minimal Debian tree in `directory`, which must not exist. Installs debootstrap when it is missing. What it mounts is seen by it
 * alone and goes with it, however it ends; a directory that is half made is the caller's to remove (`removeTree`).
 */
export async function debootstrap(directory: string, options: DebootstrapOptions): Promise<void> {
  const { packages, report, signal, downloadOnly } = options;
  await prepareDebootstrap({ report, signal });
  const args = [
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    ...(existsSync(keyring) ? [`--keyring=${keyring}`] : []),
    ...(downloadOnly ? ['--download-only'] : []),
    suite,
    directory,
  ];
  const alone = ['--mount', '--propagation', 'private', 'debootstrap', ...args];
  const [program, line] = (await succeeds('unshare', ['--mount', 'true']))
    ? ['unshare', alone]
    : ['debootstrap', args];
  await runCommand(program as string, line as string[], { signal, onLine: progressOf(report) }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw new AixclError(
        'unexpected',
        `Debian's packages could not be brought together: debootstrap failed`,
        {
          cause: error,
          evidence: error instanceof AixclError ? error.evidence : [],
          hint: 'Check that Debian’s package mirror can be reached from here and that the disk has space, then try again.',
        },
      );
    },
  );
}

async function prepareDebootstrap(options: {
  report: Report;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const obstacle = await whyNoPackages();
  if (obstacle)
    throw new AixclError('refused', `Nothing can be built from Debian's packages here: ${obstacle}`);
  // Ubuntu does not trust Debian's keys by itself.
  const ubuntu = (await debianHost())?.family === 'ubuntu';
  await installPackages(['debootstrap', ...(ubuntu ? ['debian-archive-keyring'] : [])], options);
}

/** Of the hundreds of lines, one for each package taken and unpacked. */
function progressOf(report: Report): Report {
  return (line) => {
    const [, verb, name] =
      /^I: (Retrieving|Extracting|Unpacking|Configuring) ([^ ]+?)\.*(?: .*)?$/.exec(line) ?? [];
    if (verb && name) report(`${verb} ${name}`);
  };
}

/** Removes a tree made by `debootstrap`; refuses while something is mounted in it, since that would be emptied too. */
export async function removeTree(directory: string): Promise<void> {
  if (!(await lstat(directory).catch(() => undefined))) return;
  const mounts = await mountsUnder(directory);
  for (const mount of mounts) await runCommand('umount', [mount]);
  await rm(directory, { recursive: true, force: true });
}

/** Deepest first. Source: proc(5), mountinfo: the fifth field, with blanks as octal escapes. */
async function mountsUnder(directory: string): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, code) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    )
    .filter((target) => target === directory || target.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}
