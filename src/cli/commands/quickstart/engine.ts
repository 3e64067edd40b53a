import { installEngine, whyNoEngineInstall } from '../../../adapters/debian/install-engine.ts';
import { engineInstalled, startEngine } from '../../../adapters/debian/start-engine.ts';
import { defaultAddress, resolveAddress } from '../../../adapters/docker/address.ts';
import { AixclError } from '../../../errors.ts';
import type { Context } from '../../context.ts';

/**
 * Uses the engine that is there; else starts the one that is installed; else, after asking, installs Debian's. An engine that is to be
 * found anywhere but at the default socket (by `--host`, `DOCKER_HOST` or a context, also the chosen one) is the user's to start.
 */
export async function ensureEngine(context: Context): Promise<void> {
  const missing = await context.engine().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!missing) return;
  if (!(missing instanceof AixclError) || missing.code !== 'engineUnreachable') throw missing;
  if (await isUsersOwn(context)) throw missing;
  if (/may not use its socket/.test(missing.message)) throw missing;

  const installed = await engineInstalled();
  const obstacle = await whyNoEngineInstall();
  if (obstacle) {
    throw new AixclError(
      'engineUnreachable',
      `${missing.message}; aixcl can't ${installed ? 'start' : 'install'} one here: ${obstacle}`,
      {
        hint: installed
          ? 'sudo systemctl start docker'
          : 'Install Docker (https://docs.docker.com/engine/install/), then: aixcl quickstart',
      },
    );
  }
  if (!installed)
    await context.confirm("There is no Docker engine. Install Debian's docker.io with apt-get and start it?");
  const task = context.progress.start(
    installed ? 'start the Docker engine' : 'install the Docker engine (docker.io)',
  );
  try {
    const options = { report: (text: string) => task.update({ text }), signal: context.signal };
    await (installed ? startEngine(options) : installEngine(options));
  } catch (error) {
    task.fail();
    throw error;
  }
  task.succeed('');
}

async function isUsersOwn({ flags }: Context): Promise<boolean> {
  const { display } = await resolveAddress({ host: flags.host, context: flags.context, env: process.env });
  return display !== defaultAddress;
}
