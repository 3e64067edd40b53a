import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Engine } from '../../stack/engine.ts';
import { type AddressWish, type EngineAddress, resolveAddress } from './address.ts';
import { engineFailure } from './failures.ts';
import { type TlsSecrets, Transport } from './transport.ts';

/** Docker Engine 20.10 speaks 1.41. */
const lowestApi = '1.41';
/** The newest version whose answers this adapter was written against; a newer engine speaks it too. */
const highestApi = '1.51';
/** With what Node needs to start and end, a command still ends within 2 s. */
const patienceMs = 1700;

/** Connects to the engine that the user means, in the highest API version that both sides speak. */
export async function connect(wish: AddressWish): Promise<Engine> {
  const address = await resolveAddress(wish);
  const transport = new Transport(address, await tlsSecrets(address));
  // The rest is loaded while the engine answers.
  const [offered, { DockerEngine }] = await Promise.all([ping(transport), import('./docker-engine.ts')]);
  if (compareVersions(offered, lowestApi) < 0) {
    throw new AixclError(
      'refused',
      `the Docker engine at ${address.display} speaks API ${offered}; aixcl needs ${lowestApi} or newer`,
      { hint: 'Update Docker to 20.10 or newer.' },
    );
  }
  const version = compareVersions(offered, highestApi) < 0 ? offered : highestApi;
  return new DockerEngine(transport, version);
}

async function tlsSecrets(address: EngineAddress): Promise<TlsSecrets | undefined> {
  const tls = address.tcp?.tls;
  if (!tls) return undefined;
  const read = (name: string) => readFile(join(tls.folder, name)).catch(() => undefined);
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized: tls.verify };
}

/** `GET /_ping` answers without a version in its path and states the newest API version in a header. */
async function ping(transport: Transport): Promise<string> {
  const { address } = transport;
  try {
    const response = await transport.get('/_ping', patienceMs);
    response.resume();
    const version = response.headers['api-version'];
    if (response.statusCode === 200 && typeof version === 'string') return version;
  } catch (error) {
    // Node's codes for what is no HTTP.
    if (!systemCode(error)?.startsWith('HPE_')) throw engineFailure(error, address.display, 'ping');
  }
  throw noEngine(address);
}

function noEngine(address: EngineAddress): AixclError {
  return new AixclError('engineUnreachable', `what answers at ${address.display} is not a Docker engine`, {
    hint: 'docker context ls',
  });
}

/** Negative, zero or positive, as `a` is older than, the same as or newer than `b`; both `MAJOR.MINOR`. */
function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}
