import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtFrom } from './build-context.ts';

let context = '';
beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), 'aixcl-context-'));
  mkdirSync(join(context, 'app'));
  writeFileSync(join(context, 'Dockerfile'), 'FROM x\nCOPY app /app\n');
  writeFileSync(join(context, 'app', 'one'), 'ab');
  writeFileSync(join(context, 'app', 'two'), 'c');
});
afterEach(() => rmSync(context, { recursive: true, force: true }));

const build = (more: object = {}) => ({ context, dockerfile: 'Dockerfile', args: new Map(), ...more });

test('what an image is built from is the same while its files, arguments and target are', async () => {
  const first = await builtFrom(build());
  expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await builtFrom(build())).toBe(first);
  const others = [
    await builtFrom(build({ args: new Map([['NODE_IMAGE', 'node:22']]) })),
    await builtFrom(build({ target: 'slim' })),
    await builtFrom(build({ dockerfile: 'app/one' })),
  ];
  writeFileSync(join(context, 'app', 'one'), 'a');
  writeFileSync(join(context, 'app', 'two'), 'bc');
  others.push(await builtFrom(build()));
  writeFileSync(join(context, 'app', 'three'), '');
  others.push(await builtFrom(build()));
  expect(new Set([first, ...others]).size).toBe(others.length + 1);
});

test('a large context, and one that is not there, are left alone', async () => {
  expect(await builtFrom(build({ context: join(context, 'none') }))).toBeUndefined();
  for (let i = 0; i < 200; i += 1) writeFileSync(join(context, String(i)), '');
  expect(await builtFrom(build())).toBeUndefined();
});
