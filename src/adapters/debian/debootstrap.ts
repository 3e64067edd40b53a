import { existsSync } from 'node:fs';
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
