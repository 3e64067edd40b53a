import { readFile } from 'node:fs/promises';
import { installPackages } from './apt.ts';
import { whyNoPackages } from './host.ts';
import type { Report } from './run-command.ts';
import { startEngine } from './start-engine.ts';

export interface InstallOptions {
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

/** Why `installEngine` can't work on this machine; `undefined` when it can. */
export async function whyNoEngineInstall(): Promise<string | undefined> {
  return whyNoPackages();
}

/** Installs Debian's or Ubuntu's own Docker engine and starts it. Converges: what is installed or runs already is left as it is. */
export async function installEngine(options: InstallOptions): Promise<void> {
  await installEnginePackages(options);
  await startEngine(options);
}

/**
 * The engine and what it needs to run containers, without the packages it merely recommends: of these only the certificates (pulls) and,
 * where the kernel enforces AppArmor, its parser (without it no container starts). The client is a package of its own since Debian 13.
 */
export async function installEnginePackages(options: InstallOptions): Promise<void> {
  const appArmor = (await enforcesAppArmor()) ? ['apparmor'] : [];
  await installPackages(['docker.io', 'iptables', 'ca-certificates', ...appArmor], {
    ...options,
    ifKnown: ['docker-cli'],
  });
}

async function enforcesAppArmor(): Promise<boolean> {
  const enabled = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
  return enabled.trim() === 'Y';
}
