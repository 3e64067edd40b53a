import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { AuthConfig } from 'dockerode';
import { configFolder, readJson } from './address.ts';

interface DockerConfig {
  auths?: Record<string, { auth?: string; identitytoken?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
}

/** What `docker login` stored for the registry of `reference`, from its credential helper or from `config.json`. */
export async function registryLogin(
  reference: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AuthConfig | undefined> {
  const config = (await readJson(join(configFolder(env), 'config.json'))) as DockerConfig | undefined;
  if (!config) return undefined;
  const registry = registryOf(reference);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper) {
    const stored = await askHelper(helper, registry);
    if (stored) return { username: stored.Username, password: stored.Secret, serveraddress: registry };
  }
  const stored = config.auths?.[registry] ?? config.auths?.[`https://${registry}`];
  if (!stored?.auth) return undefined;
  const [username = '', ...password] = Buffer.from(stored.auth, 'base64').toString('utf8').split(':');
  return { username, password: password.join(':'), serveraddress: registry };
}

/** Key of the registry in `config.json`. A first part without dot, colon or `localhost` is a repository of the Hub. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost && !/^(index\.)?docker\.io$/.test(first) ? first : 'https://index.docker.io/v1/';
}

/** Asks `docker-credential-NAME get`; the server's name goes in by stdin, the secret comes back by stdout. */
function askHelper(name: string, server: string): Promise<{ Username: string; Secret: string } | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${name}`, ['get'], { timeout: 10_000 }, (error, stdout) => {
      if (error) return resolve(undefined);
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve(undefined);
      }
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(server);
  });
}
