import { createServer, type Server } from 'node:net';
import { installPackages } from '../../src/adapters/debian/apt.ts';
import { whyNoPackages } from '../../src/adapters/debian/host.ts';
import { installEnginePackages } from '../../src/adapters/debian/install-engine.ts';
import { localLlamaImage } from '../../src/stack/local-image.ts';
import { composeScript, debianRoot } from './debian-root.ts';
import { currentEngine, privateEngine } from './engines.ts';
import { registryAddress } from './ollama-registry.ts';
import { runProcess } from './process.ts';
import { variables } from './variables.ts';

/**
 * Gives engine tests what they need, from nothing, on Debian and Ubuntu as root: the first run installs and builds, later ones take
 * seconds. Elsewhere those tests are skipped with the reason; with `CI` set, that is a failure.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const obstacle = await whyNoPackages();
  if (obstacle) {
    if (process.env.CI)
      throw new Error(`Engine tests can't run: ${obstacle}; with CI set that is a failure.`);
    report(`engine tests are skipped: ${obstacle}`);
    process.env[variables.obstacle] = obstacle;
    return async () => {};
  }
  await installEnginePackages({ report });
  await installPackages(['debootstrap', 'iproute2'], { report });
  const { slot, lock } = await freeSlot();
  const engine = privateEngine(slot);
  // Left running by a run that was killed.
  await engine.stop();
  await engine.start();
  const [root] = await Promise.all([
    debianRoot(report),
    engine.reset({ report }).then(() => engine.removeOtherImages()),
  ]);
  Object.assign(process.env, {
    [variables.host]: engine.host,
    [variables.engine]: engine.directory,
    [variables.llamaImage]: localLlamaImage,
    [variables.compose]: await composeScript(root, engine.directory),
    [variables.debianRoot]: root,
    [variables.label]: `io.aixcl.test=${slot}`,
    [variables.slot]: String(slot),
  });
  return async () => {
    await engine.stop();
    await currentEngine(slot, root).stop();
    // There only when a test started a registry.
    await runProcess('ip', ['address', 'del', `${registryAddress(String(slot))}/32`, 'dev', 'lo'], {
      env: process.env,
    });
    lock.close();
  };
}

const slots = 8;

/** A run holds its slot by an abstract socket, which the kernel lets go of however the run ends. */
async function freeSlot(): Promise<{ slot: number; lock: Server }> {
  for (let slot = 0; slot < slots; slot += 1) {
    const lock = createServer();
    const free = await new Promise<boolean>((resolve) => {
      lock.once('error', () => resolve(false));
      lock.listen(`\0aixcl-test-${slot}`, () => resolve(true));
    });
    lock.unref();
    if (free) return { slot, lock };
  }
  throw new Error(`${slots} test runs are at work on this machine already`);
}

/** The stages, without the hundreds of packages in each. */
function report(line: string): void {
  if (!/^(Retrieving|Extracting|Unpacking|Configuring|Installing:) /.test(line))
    process.stderr.write(`test setup: ${line}\n`);
}
