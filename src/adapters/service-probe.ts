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

/** Longest that the engine's DNS may take, in milliseconds: a name that it knows it answers in less than a tenth, also on a busy machine. */
const lookUpMs = 1000;
/** Longest that the service may take, in milliseconds: as its own health check gives it. */
const answerMs = 5000;

/** Asks the service at `address` (`http://llama-server:8080`) for `path`. */
export async function probeService(address: string, path: string): Promise<Probed> {
  const known = await isOnNetwork(address);
  if (known === false) return { kind: 'absent' };
  try {
    return { kind: 'answers', status: await statusOf(new URL(path, address)) };
  } catch (error) {
    // Nothing else tells of an address that its container is not there.
    if (known === null && systemCode(error) === 'ECONNREFUSED') return { kind: 'absent' };
    return { kind: 'silent', why: reasonOf(error) };
  }
}

/**
 * Whether the container of the service at `address` runs: the engine's DNS knows the names of those that do, and no others. Null where `address`
 * has no name of a container.
 */
export async function isOnNetwork(address: string): Promise<boolean | null> {
  const { hostname } = new URL(address);
  if (isIP(hostname) !== 0 || hostname === 'localhost' || /[.[]/.test(hostname)) return null;
  // Not getaddrinfo: an engine that asks a DNS elsewhere for a name that it does not know would keep a thread busy for as long.
  const resolver = new Resolver({ timeout: lookUpMs, tries: 1 });
  const found = [resolver.resolve4(hostname), resolver.resolve6(hostname)];
  return await Promise.any(found).then(
    (addresses) => addresses.length > 0,
    () => false,
  );
}

function statusOf(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, timeout: answerMs });
    sent.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerMs / 1000} s`)));
    sent.on('error', reject);
    sent.end();
  });
}
