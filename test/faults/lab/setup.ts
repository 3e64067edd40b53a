import { installPackages } from '../../../src/adapters/debian/apt.ts';
import { whyNoPackages } from '../../../src/adapters/debian/host.ts';

/** Set, with the reason, where faults can't be made: they take root, mounts and Debian's tools. */
export const obstacleVariable = 'AIXCL_FAULTS_OBSTACLE';

/** Installs what makes the faults. Elsewhere than on Debian as root these tests are skipped with the reason; with `CI` set that is a failure. */
export default async function setup(): Promise<void> {
  const obstacle = await whyNoPackages();
  if (!obstacle) {
    await installPackages(['strace', 'faketime', 'e2fsprogs', 'skopeo'], {
      report: (line) => process.stderr.write(`test setup: ${line}\n`),
    });
    return;
  }
  if (process.env.CI) throw new Error(`Fault tests can't run: ${obstacle}; with CI set that is a failure.`);
  process.stderr.write(`test setup: fault tests are skipped: ${obstacle}\n`);
  process.env[obstacleVariable] = obstacle;
}
