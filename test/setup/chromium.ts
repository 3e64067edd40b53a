import { type Browser, chromium } from 'playwright-core';
import { installPackages } from '../../src/adapters/debian/apt.ts';

/** Debian's Chromium, installed where it is missing; with a profile of its own that goes with it. */
export async function startChromium(): Promise<Browser> {
  await installPackages(['chromium', 'fonts-dejavu-core'], {
    report: (line) => {
      if (!line.startsWith('Installing: ')) process.stderr.write(`test setup: ${line}\n`);
    },
  });
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Its sandbox refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
  });
}
