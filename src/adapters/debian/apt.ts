import { setTimeout as sleep } from 'node:timers/promises';
import { AixclError } from '../../errors.ts';
import { type Report, runCommand, succeeds } from './run-command.ts';
import { withoutServiceStarts } from './service-starts.ts';

export interface AptOptions {
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

/** Another apt (unattended upgrades on a fresh machine, say) may hold its locks for minutes. */
const lockTimeoutSeconds = 300;

/**
 * Installs those of `packages` that are missing, from fresh package lists, without recommended ones, asking nothing and starting no
 * service. Those in `ifKnown` are left out where the distribution has no such package. An abort waits for packages that are being
 * installed.
 */
export async function installPackages(
  packages: readonly string[],
  { report, signal, ifKnown = [] }: AptOptions & { ifKnown?: readonly string[] },
): Promise<void> {
  const absent = await missing(packages);
  const wanted = await missing(ifKnown);
  if (absent.length === 0 && (await known(wanted)).length === 0) return;
  report('Reading the package lists (apt-get update)');
  await update({ report, signal });
  const names = [...absent, ...(await known(wanted))];
  if (names.length === 0) return;
  report(`Installing ${names.join(', ')} (apt-get install)`);
  const onLine: Report = (line) => {
    const [, unpacked] = /^(?:Unpacking|Setting up) ([^ :]+)/.exec(line) ?? [];
    if (unpacked) report(`Installing: ${unpacked}`);
  };
  const install = [...lockOption, 'install', '--yes', '--no-install-recommends'];
  await withoutServiceStarts(async () => {
    // What an installation that was cut off left half done would fail this one.
    await runCommand('dpkg', ['--configure', '-a'], { onLine });
    await runCommand('apt-get', [...install, '--download-only', ...names], { signal });
    // Not to be cut off.
    await runCommand('apt-get', [...install, ...names], { onLine });
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw explained(error, `${names.join(', ')} could not be installed`);
  });
}

const lockOption = ['-o', `DPkg::Lock::Timeout=${lockTimeoutSeconds}`];

/** A list that can't be read is no failure yet: what is wanted may come from another one. The install tells. */
async function update({ report, signal }: AptOptions): Promise<void> {
  const deadline = Date.now() + lockTimeoutSeconds * 1000;
  for (;;) {
    let locked = false;
    try {
      await runCommand('apt-get', ['update'], {
        signal,
        // DPkg::Lock::Timeout does not cover the lock on the lists.
        onLine: (line) => {
          locked ||= /Could not get lock|Unable to lock/.test(line);
        },
      });
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!locked) return report(`Some package lists could not be read: ${lastLine(error)}`);
      if (Date.now() > deadline) throw explained(error, 'Another package manager holds the lock');
      report('Waiting for another package manager to finish');
      await sleep(2000, undefined, { signal });
    }
  }
}

async function missing(packages: readonly string[]): Promise<string[]> {
  const found = await Promise.all(packages.map(isInstalled));
  return packages.filter((_, index) => !found[index]);
}

/** A package removed but for its configuration is known to dpkg too. */
async function isInstalled(name: string): Promise<boolean> {
  let status = '';
  const onLine: Report = (line) => {
    status = line;
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  const format = '--showformat=${db:Status-Status}';
  const answered = await runCommand('dpkg-query', ['--show', format, name], { onLine }).then(
    () => true,
    () => false,
  );
  return answered && status === 'installed';
}

async function known(packages: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    packages.map((name) => succeeds('apt-cache', ['--quiet', 'show', '--no-all-versions', name])),
  );
  return packages.filter((_, index) => found[index]);
}

function explained(error: unknown, message: string): AixclError {
  return new AixclError('unexpected', `${message}: apt-get failed`, {
    cause: error,
    evidence: error instanceof AixclError ? error.evidence : [],
    hint: 'Run "apt-get update && apt-get --fix-broken install", then the same command again.',
  });
}

function lastLine(error: unknown): string {
  return (error instanceof AixclError && error.evidence.at(-1)) || String(error);
}
