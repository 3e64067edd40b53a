import { Resolver } from 'node:dns/promises';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { reasonOf, systemCode } from '../errors.ts';

/** What a service of the stack's network answered. `absent`: its container does not run. */
export type Probed =
  | { readonly kind: 'absent' }
  /** It runs, and does not answer: why. */
  | { readonly kind: 'silent'; readonly why: string }
  | { readonly kind: 'answers'; readonly status: number };

/** Longest that the engine's DNS, and then the service, may take, in milliseconds. */
const patienceMs = 1000;

/** Asks the service at `address` (`http://llama-server:8080`) for `path`. */
export async function probeService(address: string, path: string): Promise<Probed> {
  if (!(await isOnNetwork(address))) return { kind: 'absent' };
  try {
    return { kind: 'answers', status: await statusOf(new URL(path, address)) };
  } catch (error) {
    // Without a name of the network nothing else tells that a container is not there.
    if (!isNetworkName(new URL(address).hostname) && systemCode(error) === 'ECONNREFUSED') {
      return { kind: 'absent' };
    }
    return { kind: 'silent', why: reasonOf(error) };
  }
}

/** Whether the container of the service at `address` runs: the engine's DNS knows the names of those that do, and no others. */
async function isOnNetwork(address: string): Promise<boolean> {
  const { hostname } = new URL(address);
  if (!isNetworkName(hostname)) return true;
  // Not getaddrinfo: an engine that asks a DNS elsewhere for a name that it does not know would keep a thread busy for as long.
  const resolver = new Resolver({ timeout: patienceMs, tries: 2 });
  const found = [resolver.resolve4(hostname), resolver.resolve6(hostname)];
  return await Promise.any(found).then(
    (addresses) => addresses.length > 0,
    () => false,
  );
}

/** Names of containers have no dot; all else is looked up as anywhere. */
function isNetworkName(hostname: string): boolean {
  return isIP(hostname) === 0 && hostname !== 'localhost' && !/[.[]/.test(hostname);
}

function statusOf(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, timeout: patienceMs });
    sent.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs} ms`)));
    sent.on('error', reject);
    sent.end();
  });
}
