import { isIPv4 } from 'node:net';
import type { Problem } from '../api.ts';
import { refusal } from './refusals.ts';

/** What is known of a request before anything is done for it; header values as they came. */
export interface Asked {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchDest: string | undefined;
  /** Whether its cookie is of a session. */
  readonly session: boolean;
}

/** How to get a session, in words. */
export const howToEnter = 'aixcl ui';

/**
 * Why a request is not let in; undefined: it is. In this order: the Host is a name of ours, as a page elsewhere can have its own name lead here
 * (DNS rebinding); no other site has sent it, apart from a link that leads here; there is a session.
 */
export function refusalOf(asked: Asked, allowedHosts: readonly string[]): Problem | undefined {
  return foreign(asked, allowedHosts) ?? (asked.session ? undefined : noSession());
}

/** As `refusalOf`, but for the session, which whoever brings a token has yet to get. */
export function foreign(asked: Asked, allowedHosts: readonly string[]): Problem | undefined {
  if (!isOurs(asked.host, allowedHosts)) {
    return refusal(
      421,
      `${asked.host ? `"${printed(asked.host)}" is no name` : 'No name is given'} that this page answers to`,
      'AIXCL_ALLOWED_HOSTS=NAME,… in .env of the home, then aixcl stack start',
    );
  }
  if (asked.origin !== undefined && !isOwnOrigin(asked.origin, asked.host ?? '')) return notFromHere();
  const site = asked.fetchSite ?? 'none';
  if (site !== 'same-origin' && site !== 'none' && !isLinkFollowed(asked)) return notFromHere();
  return undefined;
}

/** `AIXCL_ALLOWED_HOSTS`: names with commas, each with or without a port. */
export function hostList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

function isOurs(host: string | undefined, allowed: readonly string[]): boolean {
  const found = /^(\[[0-9a-f:]+\]|[^\s:/?#@[\]\\]+)(:\d{1,5})?$/.exec((host ?? '').toLowerCase());
  if (!found) return false;
  const [whole, name = ''] = found;
  return isLoopback(name) || allowed.includes(name) || allowed.includes(whole);
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}

/** Port and all: a server on another port is somebody else. */
function isOwnOrigin(origin: string, host: string): boolean {
  const own = host.toLowerCase();
  return [`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}

function isLinkFollowed({ method, fetchMode, fetchDest }: Asked): boolean {
  return method === 'GET' && fetchMode === 'navigate' && (fetchDest ?? 'document') === 'document';
}

function notFromHere(): Problem {
  return refusal(403, 'Another site sent this request, and only the page itself may');
}

function noSession(): Problem {
  return refusal(401, 'This browser has no session, or it has expired', howToEnter);
}

function printed(host: string): string {
  return host.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}
