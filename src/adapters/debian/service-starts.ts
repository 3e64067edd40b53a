import { readFile, rm, writeFile } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';

const policyFile = '/usr/sbin/policy-rc.d';
const mark = 'made by aixcl for the time of an installation';
const policy = `#!/bin/sh\n# Installed services are not started; ${mark}.\nexit 101\n`;

/**
 * Carries out `install` with Debian's policy layer told not to start the services that it installs: where no init system runs, the failed
 * start of a service fails its installation. A policy that the machine has already stays. Source: invoke-rc.d(8), deb-systemd-invoke(1p).
 */
export async function withoutServiceStarts<T>(install: () => Promise<T>, file = policyFile): Promise<T> {
  if (!(await claim(file))) return install();
  try {
    return await install();
  } finally {
    await rm(file, { force: true });
  }
}

/** Also takes over what an aixcl that was killed left. */
async function claim(file: string): Promise<boolean> {
  try {
    await writeFile(file, policy, { flag: 'wx', mode: 0o755 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return (await readFile(file, 'utf8')).includes(mark);
    throw error;
  }
}
