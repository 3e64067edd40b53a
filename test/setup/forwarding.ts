import { runProcess } from './process.ts';

/**
 * Lets containers of an engine that touches no packet filter reach each other where this machine forwards nothing: an engine with one, once started
 * here, leaves that policy behind, and it holds within a bridge too. `network`: a CIDR, all of it the engine's.
 */
export async function letThrough(network: string): Promise<void> {
  if (!(await rule('--check', network))) await rule('--insert', network);
}

export async function letThroughNoMore(network: string): Promise<void> {
  await rule('--delete', network);
}

/** False where it fails, as without iptables: then nothing is in the way either, or nobody here may change it. */
async function rule(what: '--check' | '--insert' | '--delete', network: string): Promise<boolean> {
  const args = ['--wait', '5', what, 'FORWARD', '--source', network, '--destination', network];
  const { code } = await runProcess('iptables', [...args, '--jump', 'ACCEPT'], { env: process.env }).catch(
    () => ({ code: 1 }),
  );
  return code === 0;
}
