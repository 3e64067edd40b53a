import { AixclError } from '../../../errors.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { matches } from '../../../stack/recreate/container-ref.ts';
import type { Context } from '../../context.ts';
import { addresses } from '../stack/endpoints.ts';
import { opened, pageService } from './opened.ts';

/** `ui`. */
export async function ui(context: Context): Promise<void> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const containerName = definition.services.get(pageService)?.containerName ?? pageService;
  const identity = { project: definition.project, service: pageService, containerName };
  const found = matches(identity, await engine.listContainers()).map((match) => match.container);
  refuseOtherHome(found, context.home);
  const running = found.find(({ state }) => state === 'running');
  if (!running) {
    throw new AixclError('notRunning', `${pageService} does not run`, {
      hint: `aixcl service start ${pageService}`,
    });
  }
  const [address] = addresses(running.ports);
  if (address === undefined) {
    throw new AixclError('notRunning', `${running.name} publishes no port, so no browser reaches it`, {
      hint: `take away what compose.override.yaml does to the ports of ${pageService}, then aixcl stack start`,
    });
  }
  const { hostname } = new URL(address);
  if (!isLoopback(hostname) && !(context.env.AIXCL_ALLOWED_HOSTS ?? '').split(',').includes(hostname)) {
    context.out.warn(
      `the page answers to loopback names only: AIXCL_ALLOWED_HOSTS=${hostname} in ${context.home.envFile}, then aixcl stack start`,
    );
  }
  const { url, expires } = context.flags.dryRun
    ? { url: `${address}/`, expires: null }
    : await opened(context, address);
  context.out.item('ui', { url, expires }, () => url);
}

/** Of addresses as a URL has them. */
function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || hostname.startsWith('127.');
}
