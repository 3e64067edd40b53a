import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelName } from '../../models/model-name.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { writeModelOf, writeSplitModel } from '../../models/test-models.ts';
import { modelsDirectoryAt } from './directory.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';

let place: TestDirectory;
beforeEach(async () => {
  place = await makeTestDirectory();
});
afterEach(async () => place[Symbol.asyncDispose]());

const at = (...parts: string[]) => join(place.models, ...parts);

async function listed() {
  const { models, unusable } = await modelsDirectoryAt(place.models).list();
  return {
    models: Object.fromEntries(models.map((model) => [model.name, model.damage ?? 'whole'])),
    unusable: Object.fromEntries(unusable.map(({ name, why }) => [name, why])),
  };
}

test('a directory that is not there holds no models', async () => {
  expect(await modelsDirectoryAt(join(place.models, 'nowhere')).list()).toEqual({ models: [], unusable: [] });
});

test('files, loose shards and folders are models; hidden, empty and other things are not', async () => {
  await writeSelfTestModel(at('a.gguf'));
  await writeSplitModel(place.models, 'loose');
  await writeSplitModel(at('folder'), 'inner');
  await mkdir(at('empty'));
  await mkdir(at('.aixcl'));
  await writeSelfTestModel(at('.hidden.gguf'));
  await writeSelfTestModel(at('._a.gguf'));
  await writeFile(at('init-models.sh'), '');
  await symlink('a.gguf', at('current.gguf'));
  expect(await listed()).toEqual({
    models: { 'a.gguf': 'whole', folder: 'whole', 'loose-00001-of-00002.gguf': 'whole' },
    unusable: {},
  });
});

test('a file that comes and goes while its folder is listed is there or not, and hinders nobody', async () => {
  await writeSelfTestModel(at('a.gguf'));
  await writeSelfTestModel(at('b.gguf'));
  let isOver = false;
  const others = (async () => {
    while (!isOver) {
      await rename(at('b.gguf'), at('.b'));
      await rename(at('.b'), at('b.gguf'));
    }
  })();
  try {
    for (let look = 0; look < 200; look += 1) {
      const { models, unusable } = await listed();
      expect(models).toMatchObject({ 'a.gguf': 'whole' });
      expect(unusable).toEqual({});
    }
  } finally {
    isOver = true;
    await others;
  }
});

test('sizes and parameters are those of all shards', async () => {
  await writeSplitModel(at('folder'), 'inner');
  await writeSelfTestModel(at('a.gguf'));
  const { models } = await modelsDirectoryAt(place.models).list();
  expect(models[1]!.files).toHaveLength(2);
  expect(models[1]!.size).toBe(models[1]!.files[0]!.size + models[1]!.files[1]!.size);
  expect(models[1]!.summary!.parameters).toBe(models[0]!.summary!.parameters);
});

test('what is wrong with a model is said, and the others are listed as they are', async () => {
  await writeSelfTestModel(at('a.gguf'));
  await truncate(at('a.gguf'), 200_000);
  const [, second] = await writeSplitModel(at('half'), 'x');
  execFileSync('rm', [second!]);
  const [first] = await writeSplitModel(at('torn'), 'x');
  await truncate(first!, 1000);
  await mkdir(at('two'));
  await writeSelfTestModel(at('two', 'x.gguf'));
  await writeSelfTestModel(at('two', 'y.gguf'));
  await writeFile(at('zero.gguf'), '');
  await writeSelfTestModel(at('zz.gguf'));
  const { models } = await listed();
  expect(models['a.gguf']).toContain('truncated');
  expect(models.half).toContain('2 missing');
  expect(models.torn).toMatch(/x-00001-of-00002.gguf.*truncated/);
  expect(models.two).toContain('several models');
  expect(models['zero.gguf']).toContain('does not begin with GGUF');
  expect(models['zz.gguf']).toBe('whole');
});

test('an image encoder beside a model is no model of its own', async () => {
  await mkdir(at('vision'));
  await writeSelfTestModel(at('vision', 'gemma.gguf'));
  await writeModelOf('clip', at('vision', 'mmproj-F16.gguf'));
  await writeModelOf('clip', at('mmproj-x.gguf'));
  await writeModelOf('nomic-bert', at('embed.gguf'));
  const { models } = await modelsDirectoryAt(place.models).list();
  expect(models.map(({ name, summary }) => [name, summary?.role])).toEqual([
    ['embed.gguf', 'embedding'],
    ['mmproj-x.gguf', 'projector'],
    ['vision', 'model'],
  ]);
});

test('hostile names are told, never followed, and the rest is listed', async () => {
  await writeSelfTestModel(at('a.gguf'));
  for (const name of ['-rf.gguf', 'a\nb.gguf', '\u001b[2J.gguf']) await writeSelfTestModel(at(name));
  execFileSync('sh', ['-c', `cp "$1" "$2/$(printf '\\377').gguf"`, 'sh', at('a.gguf'), place.models]);
  await writeSelfTestModel(join(place.elsewhere, 'outside.gguf'));
  await symlink('../elsewhere/outside.gguf', at('leaves.gguf'));
  await symlink(join(place.models, 'a.gguf'), at('absolute.gguf'));
  await symlink('nowhere.gguf', at('dangling.gguf'));
  await symlink('loop.gguf', at('loop.gguf'));
  await symlink('a.gguf', at('fine.gguf'));
  await symlink('../elsewhere', at('folder-outside'));
  execFileSync('mkfifo', [at('pipe.gguf')]);
  const { models, unusable } = await listed();
  expect(Object.keys(models)).toContain('a.gguf');
  expect(Object.keys(models)).toContain('fine.gguf');
  expect(unusable['"-rf.gguf"']).toContain('dash');
  expect(unusable['"a\\u000ab.gguf"']).toContain('control');
  expect(unusable['"\\u001b[2J.gguf"']).toContain('control');
  expect(unusable['"leaves.gguf"']).toContain('leaves the models directory');
  expect(unusable['"absolute.gguf"']).toContain('absolute');
  expect(unusable['"dangling.gguf"']).toContain('nothing');
  expect(unusable['"loop.gguf"']).toContain('itself');
  expect(unusable['"pipe.gguf"']).toContain('regular');
  expect(Object.values(unusable).filter((why) => why.includes('UTF-8'))).toHaveLength(1);
});

test('a regular file in the place of the link is told, not taken for a model', async () => {
  await writeSelfTestModel(at('current.gguf'));
  expect((await listed()).unusable['"current.gguf"']).toContain('name of its own');
});

test('the active model is read from link, file and state, and nothing outside is believed', async () => {
  const directory = modelsDirectoryAt(place.models);
  await writeSelfTestModel(at('a.gguf'));
  await writeSplitModel(at('folder'), 'x');
  expect(await directory.activation()).toEqual({
    state: undefined,
    request: undefined,
    linked: undefined,
    written: undefined,
    problems: [],
  });
  await writeFile(at('.active_model'), 'a.gguf\n');
  await symlink('folder/x-00001-of-00002.gguf', at('current.gguf'));
  expect(await directory.activation()).toMatchObject({ linked: 'folder', written: 'a.gguf', problems: [] });
  await writeFile(at('.active_model'), '../../etc/passwd\n');
  execFileSync('ln', ['-sfn', '/etc/passwd', at('current.gguf')]);
  const hostile = await directory.activation();
  expect(hostile).toMatchObject({ linked: undefined, written: undefined });
  expect(hostile.problems).toHaveLength(2);
});

test('a link in the place of state or request is not followed', async () => {
  await mkdir(at('.aixcl'));
  await writeFile(join(place.elsewhere, 'state'), 'phase: ready\nactive: evil.gguf\n');
  await symlink('../../elsewhere/state', at('.aixcl', 'state'));
  await symlink('../elsewhere/state', at('.active_model'));
  expect(await modelsDirectoryAt(place.models).activation()).toMatchObject({
    state: undefined,
    written: undefined,
  });
});

test('a request replaces the one before, whole, and leaves nothing beside it', async () => {
  const directory = modelsDirectoryAt(place.models);
  const name = 'a.gguf' as ModelName;
  await directory.writeRequest({ id: '1', name, by: 'cli', time: 't1' });
  await directory.writeRequest({ id: '2', name, by: 'cli', time: 't2' });
  expect(await readFile(at('.aixcl', 'request'), 'utf8')).toBe('id: 2\nname: a.gguf\nby: cli\ntime: t2\n');
  expect(await readdir(at('.aixcl'))).toEqual(['request']);
  expect((await directory.activation()).request).toEqual({ id: '2', name, by: 'cli', time: 't2' });
});

test('a request that the entrypoint has taken and not settled is still seen', async () => {
  const directory = modelsDirectoryAt(place.models);
  await mkdir(at('.aixcl'));
  await writeFile(at('.aixcl', 'request.taken'), 'id: 3\nname: a.gguf\nby: cli\ntime: t\n');
  expect((await directory.activation()).request?.id).toBe('3');
});

test('arguments come back as they were written, one a line', async () => {
  const directory = modelsDirectoryAt(place.models);
  const name = 'a.gguf' as ModelName;
  expect(await directory.readArguments(name)).toEqual([]);
  await directory.writeArguments(name, ['--ctx-size', '512', '--override-kv', 'a b=c']);
  expect(await readFile(at('.aixcl', 'args', name), 'utf8')).toBe('--ctx-size\n512\n--override-kv\na b=c\n');
  expect(await directory.readArguments(name)).toEqual(['--ctx-size', '512', '--override-kv', 'a b=c']);
});
