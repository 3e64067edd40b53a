import { isPrivateHost } from './private-host.ts';

/** What a registry wants of someone it does not know, from `WWW-Authenticate` of its 401 (the distribution project's token scheme). */
export function tokenAddress(challenge: string | null, registry: URL): URL | undefined {
  if (!challenge || !/^bearer\s/i.test(challenge)) return undefined;
  const fields = new Map<string, string>();
  for (const [, key, value] of challenge.matchAll(/([a-z]+)="([^"]*)"/gi))
    fields.set(key!.toLowerCase(), value!);
  const realm = fields.get('realm');
  if (!realm || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  // A token that is asked for in the clear could be read on the way.
  const near = registry.protocol === 'http:' && isPrivateHost(url.host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && near)) return undefined;
  for (const key of ['service', 'scope']) {
    const value = fields.get(key);
    if (value) url.searchParams.set(key, value);
  }
  return url;
}

/** The token in a token server's answer. */
export function tokenIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { token, access_token: access } = answer as { token?: unknown; access_token?: unknown };
  const found = token ?? access;
  return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
}
