import { expect, test } from 'vitest';
import { type Asked, hostList, refusalOf } from './admission.ts';

/** One of the page's own requests, as Chromium sends it. */
const own: Asked = {
  method: 'POST',
  host: '127.0.0.1:8081',
  origin: 'http://127.0.0.1:8081',
  fetchSite: 'same-origin',
  fetchMode: 'cors',
  fetchDest: 'empty',
  session: true,
};
/** From outside a browser: curl with the cookie. */
const bare = { origin: undefined, fetchSite: undefined, fetchMode: undefined, fetchDest: undefined };

function verdict(change: Partial<Asked>, allowed = ''): string {
  const refused = refusalOf({ ...own, ...change }, hostList(allowed));
  return refused ? `${refused.status} ${refused.code}` : 'in';
}

test.each([
  ['the page itself', {}],
  ['curl with a session', { method: 'GET', ...bare }],
  ['localhost, whatever its port', { host: 'LocalHost:49152', origin: 'http://localhost:49152' }],
  ['any loopback address', { host: '127.8.9.1', origin: 'http://127.8.9.1' }],
  ['IPv6', { host: '[::1]:8081', origin: 'http://[::1]:8081' }],
  ['an address that was typed', { method: 'GET', ...bare, fetchSite: 'none', fetchMode: 'navigate' }],
  [
    'a link that was followed',
    { method: 'GET', ...bare, fetchSite: 'cross-site', fetchMode: 'navigate', fetchDest: 'document' },
  ],
] satisfies [string, Partial<Asked>][])('let in: %s', (_, change) => {
  expect(verdict(change)).toBe('in');
});

test.each([
  [
    'a name of somebody else (DNS rebinding)',
    { host: 'evil.example:8081', origin: 'http://evil.example:8081' },
  ],
  ['a name that begins like ours', { host: 'localhost.evil.example' }],
  ['a name that begins like an address of ours', { host: '127.0.0.1.evil.example' }],
  ['a name with more behind', { host: 'localhost:8081@evil.example' }],
  ['another address', { host: '192.168.1.5:8081' }],
  ['no name', { host: undefined }],
  ['an empty name', { host: '' }],
] satisfies [string, Partial<Asked>][])('421: %s', (_, change) => {
  expect(verdict(change)).toBe('421 forbidden');
});

test.each([
  ['another site', { origin: 'https://evil.example' }],
  ['another port of this machine', { origin: 'http://127.0.0.1:3000' }],
  ['a page without an origin', { origin: 'null' }],
  ['an origin that begins like ours', { origin: 'http://127.0.0.1:8081.evil.example' }],
  ['another name of this machine', { origin: 'http://localhost:8081' }],
  ['a request of another site that hides its origin', { ...bare, fetchSite: 'cross-site' }],
  ['a request of another port', { ...bare, method: 'GET', fetchSite: 'same-site', fetchMode: 'no-cors' }],
  [
    'a form of another site',
    { ...bare, fetchSite: 'cross-site', fetchMode: 'navigate', fetchDest: 'document' },
  ],
  [
    'a frame in another site',
    { ...bare, method: 'GET', fetchSite: 'cross-site', fetchMode: 'navigate', fetchDest: 'iframe' },
  ],
] satisfies [string, Partial<Asked>][])('403: %s', (_, change) => {
  expect(verdict(change)).toBe('403 forbidden');
});

test('without a session 401, and what to type', () => {
  expect(verdict({ session: false })).toBe('401 unauthenticated');
  expect(refusalOf({ ...own, session: false }, [])?.hint).toBe('aixcl ui');
});

test('a stranger is not told whether a session would do: host first, then origin', () => {
  expect(verdict({ host: 'evil.example', origin: 'https://evil.example', session: false })).toMatch(/^421/);
  expect(verdict({ origin: 'https://evil.example', session: false })).toMatch(/^403/);
});

test('AIXCL_ALLOWED_HOSTS names others, with any port or with one', () => {
  const other = (host: string) => ({ host, origin: `http://${host}` });
  const allowed = ' nas.home , box:9000,192.168.1.5';
  expect(verdict(other('NAS.home:8081'), allowed)).toBe('in');
  expect(verdict(other('192.168.1.5:8081'), allowed)).toBe('in');
  expect(verdict(other('box:9000'), allowed)).toBe('in');
  expect(verdict(other('box:9001'), allowed)).toBe('421 forbidden');
  expect(verdict(other('evil.nas.home'), allowed)).toBe('421 forbidden');
});
