import { readFile } from 'node:fs/promises';
import { Agent, type AgentOptions, request } from 'node:http';
import { type RequestOptions, request as requestTls } from 'node:https';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Engine } from '../../stack/engine.ts';
import { type AddressWish, type EngineAddress, resolveAddress } from './address.ts';
import { engineFailure, unreachable } from './failures.ts';

/** Docker Engine 20.10 speaks 1.41. */
const lowestApi = '1.41';
/** The newest version whose answers this adapter was written against; a newer engine speaks it too. */
const highestApi = '1.51';
/** With what Node needs to start and end, a command still ends within 2 s. */
const patienceMs = 1700;

/** Connects to the engine that the user means, in the highest API version that both sides speak. */
export async function connect(wish: AddressWish): Promise<Engine> {
  const address = await resolveAddress(wish);
  const secrets = await tlsSecrets(address);
  const agent = address.socketPath ? socketAgent() : undefined;
  // The rest is loaded while the engine answers.
  const [offered, { DockerEngine }] = await Promise.all([
    ping(address, secrets, agent),
    import('./docker-engine.ts'),
  ]);
  if (compareVersions(offered, lowestApi) < 0) {
    throw new AixclError(
      'refused',
      `the Docker engine at ${address.display} speaks API ${offered}; aixcl needs ${lowestApi} or newer`,
      {
        hint: 'Update Docker to 20.10 or newer.',
      },
    );
  }
  const version = compareVersions(offered, highestApi) < 0 ? offered : highestApi;
  return new DockerEngine(address, version, secrets, agent);
}

/** Certificates for a TCP engine; empty without TLS. */
export type TlsSecrets = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;

async function tlsSecrets(address: EngineAddress): Promise<TlsSecrets | undefined> {
  const tls = address.tcp?.tls;
  if (!tls) return undefined;
  const read = (name: string) => readFile(join(tls.folder, name)).catch(() => undefined);
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized: tls.verify };
}

/**
 * Keeps connections to the engine's socket open. Without a name for the server Node works one out for TLS, by expressions that take
 * longer than the request.
 */
function socketAgent(): Agent {
  return new Agent({ keepAlive: true, servername: '' } as AgentOptions);
}

/** `GET /_ping` answers without a version in its path and states the newest API version in a header. */
function ping(
  address: EngineAddress,
  secrets: TlsSecrets | undefined,
  agent: Agent | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const where = address.socketPath
      ? { socketPath: address.socketPath }
      : { host: address.tcp?.host, port: address.tcp?.port };
    const options = { ...where, ...secrets, ...(agent && { agent }), path: '/_ping', timeout: patienceMs };
    const sent = (secrets ? requestTls : request)(options, (response) => {
      response.resume();
      const version = response.headers['api-version'];
      if (response.statusCode === 200 && typeof version === 'string') resolve(version);
      else reject(noEngine(address));
    });
    sent.on('timeout', () => sent.destroy(unreachable(address.display, 'ETIMEDOUT')));
    sent.on('error', (error) => {
      // Node's codes for what is no HTTP.
      const isOther = systemCode(error)?.startsWith('HPE_');
      reject(isOther ? noEngine(address) : engineFailure(error, address.display, 'ping'));
    });
    sent.end();
  });
}

function noEngine(address: EngineAddress): AixclError {
  return new AixclError('engineUnreachable', `what answers at ${address.display} is not a Docker engine`, {
    hint: 'docker context ls',
  });
}

/** Negative, zero or positive, as `a` is older than, the same as or newer than `b`; both `MAJOR.MINOR`. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}
