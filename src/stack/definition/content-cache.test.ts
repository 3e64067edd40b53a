import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContentCache } from './content-cache.ts';
import { folder, load, refusal, write } from './definition-fixture.ts';

const source = `x-e: &e {A: 1.10, B: , C: true}
services:
  web:
    image: i
    environment: {<<: *e, D: "x"}
    ports: !override ["1:1"]
    command: !reset null
`;

test('a definition is the same with nothing remembered, and with all of it', async () => {
  const cacheFolder = join(folder, 'cache');
  const fresh = await load(source);
  const first = await load(source, { cacheFolder });
  expect(readdirSync(cacheFolder)).toHaveLength(2);
  const second = await load(source, { cacheFolder });
  expect(first).toEqual(fresh);
  expect(second).toEqual(fresh);
});

test('what is remembered is used', () => {
  const cache = new ContentCache(join(folder, 'cache'));
  cache.put('tree', 'input', 'value');
  expect(cache.get('tree', 'input')).toBe('value');
  expect(cache.get('tree', 'other input')).toBeUndefined();
  expect(cache.get('shape', 'input')).toBeUndefined();
});

test('an error names the file at hand, also when another of the same content was read before', async () => {
  const cacheFolder = join(folder, 'cache');
  const wrong = 'services:\n  web: {image: i, networks: [n]}\n';
  const names = [];
  for (const name of ['one.yaml', 'two.yaml']) {
    names.push((await refusal(load('', { files: [write(name, wrong)], cacheFolder }))).lines[0]);
  }
  expect(names).toEqual([
    'one.yaml:2:30: services.web.networks[0]: no network "n"',
    'two.yaml:2:30: services.web.networks[0]: no network "n"',
  ]);
});

test('a file that is wrong is wrong each time', async () => {
  const cacheFolder = join(folder, 'cache');
  for (const wrong of ['services: {web: {imagee: i}}', 'services: {web: {image: i, image: j}}']) {
    const first = await refusal(load(wrong, { cacheFolder }));
    expect(await refusal(load(wrong, { cacheFolder }))).toEqual(first);
  }
});

test('an entry that is not whole counts as not there', async () => {
  const cacheFolder = join(folder, 'cache');
  const fresh = await load(source, { cacheFolder });
  for (const damage of [
    (content: string) => content.slice(0, content.length / 2),
    (content: string) => content.replace('web', 'wob'),
    () => '',
  ]) {
    for (const entry of readdirSync(cacheFolder)) {
      const path = join(cacheFolder, entry);
      writeFileSync(path, damage(readFileSync(path, 'utf8')));
    }
    expect(await load(source, { cacheFolder })).toEqual(fresh);
  }
});

test('a folder that can’t be written stops nothing', async () => {
  const cacheFolder = join(write('file', ''), 'cache');
  expect((await load(source, { cacheFolder })).services.size).toBe(1);
});

test('the folder does not grow without end', () => {
  const cacheFolder = join(folder, 'cache');
  mkdirSync(cacheFolder);
  for (let index = 0; index < 201; index++) writeFileSync(join(cacheFolder, `old-${index}`), '');
  new ContentCache(cacheFolder).put('tree', 'input', 'value');
  expect(readdirSync(cacheFolder)).toHaveLength(1);
});
