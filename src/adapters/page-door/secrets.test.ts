import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secrets } from './secrets.ts';

const minute = 60_000;
let root: string;
let folder: string;
let now: number;
let secrets: Secrets;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aixcl-secrets-'));
  folder = join(root, 'page', 'tokens');
  now = Date.parse('2026-01-01T00:00:00Z');
  secrets = new Secrets({ folder, lifetimeMs: 60 * minute, most: 3 }, () => new Date(now));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a secret of 32 bytes opens once', async () => {
  const { secret } = await secrets.issue();
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(await secrets.take(secret)).toBe(true);
  expect(await secrets.take(secret)).toBe(false);
});

test('of many who bring it at once, one gets in', async () => {
  const { secret } = await secrets.issue();
  const taken = await Promise.all(Array.from({ length: 20 }, () => secrets.take(secret)));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test('it is good until it expires, and no longer; nor when the clock went back behind its making', async () => {
  const { secret, expires } = await secrets.issue();
  expect(expires).toEqual(new Date('2026-01-01T01:00:00Z'));
  now += 59 * minute;
  expect(await secrets.find(secret)).toBeDefined();
  now += minute;
  expect(await secrets.find(secret)).toBeUndefined();
  now -= 61 * minute;
  expect(await secrets.find(secret)).toBeUndefined();
});

test.each(['', 'x', '../../x', 'a'.repeat(100_000), '\0'])('nothing else opens: %j', async (secret) => {
  await secrets.issue();
  expect(await secrets.take(secret)).toBe(false);
});

test('what was never kept as a hash opens nothing: neither the file name nor a file of another name', async () => {
  const { secret } = await secrets.issue();
  const [name = ''] = readdirSync(folder);
  expect(await secrets.find(name)).toBeUndefined();
  writeFileSync(join(folder, secret), '2026-01-01T00:30:00Z\n');
  writeFileSync(join(folder, `.${name}`), '2026-01-01T00:30:00Z\n');
  expect(await secrets.find(secret)).toBe(name);
});

test('a file that does not say until when opens nothing', async () => {
  const { secret } = await secrets.issue();
  writeFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'for ever\n');
  expect(await secrets.take(secret)).toBe(false);
});

test('only its owner may look in, and the secret stands nowhere', async () => {
  const { secret } = await secrets.issue();
  const modes = [join(root, 'page'), folder].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o700]);
  const [name = ''] = readdirSync(folder);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect(readFileSync(join(folder, name), 'utf8')).not.toContain(secret);
});

test('a folder that others may look into is closed again', async () => {
  mkdirSync(folder, { recursive: true });
  for (const path of [join(root, 'page'), folder]) chmodSync(path, 0o755);
  await secrets.issue();
  expect([join(root, 'page'), folder].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
});

test.runIf(process.getuid?.() === 0)('what root makes belongs to whom it is for', async () => {
  await secrets.issue({ uid: 12_345, gid: 12_346 });
  const paths = [join(root, 'page'), folder, join(folder, readdirSync(folder)[0] ?? '')];
  expect(paths.map((path) => [statSync(path).uid, statSync(path).gid])).toEqual(
    Array(3).fill([12_345, 12_346]),
  );
});

test('old ones go when a new one is made, and of good ones there are never too many', async () => {
  const { secret: first } = await secrets.issue();
  const made = new Date(now);
  utimesSync(join(folder, readdirSync(folder)[0] ?? ''), made, made);
  now += 61 * minute;
  await secrets.issue();
  expect(await secrets.find(first)).toBeUndefined();
  expect(readdirSync(folder)).toHaveLength(1);
  for (let made = 0; made < 5; made += 1) await secrets.issue();
  expect(readdirSync(folder)).toHaveLength(3);
});
