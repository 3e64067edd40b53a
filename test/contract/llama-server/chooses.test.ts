import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../../src/models/self-test-model.ts';
import { writeModelOf, writeSplitModel } from '../../../src/models/test-models.ts';
import { describeEngine, engineTest, runProcess } from '../../setup/engine-test.ts';
import { makeModels, settled, startServer } from './server.ts';

describeEngine('with nothing applied yet', () => {
  engineTest('the first model by name is served, and what is no such model is passed over', async () => {
    await using models = await makeModels('m.gguf', 'n.gguf', 'mmproj-a.gguf', '.hidden.gguf', 'b.gguf.part');
    await models.write('a-text.gguf', 'no model');
    await models.write('a-empty.gguf', '');
    await writeModelOf('clip', join(models.path, 'c-clip.gguf'));
    await writeModelOf('nomic-bert', join(models.path, 'd-embedding.gguf'));
    await mkdir(join(models.path, 'e-folder'));
    const [, second] = await writeSplitModel(join(models.path, '.parts'), 'f');
    await symlink(second!.replace(models.path, '.'), join(models.path, 'f-00002-of-00002.gguf'));
    await symlink('/etc/hostname', join(models.path, 'g-outside.gguf'));
    await writeSelfTestModel(join(models.path, '-h.gguf'));
    await writeSelfTestModel(join(models.path, 'i\nj.gguf'));
    await using server = await startServer(models);
    await server.serves('m.gguf');
    await expect.poll(() => models.link()).toBe('m.gguf');
  });

  engineTest('the link goes first', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf', 'c.gguf');
    await symlink('b.gguf', join(models.path, 'current.gguf'));
    await models.write('.active_model', 'c.gguf\n');
    await using server = await startServer(models);
    await server.serves('b.gguf');
    await expect.poll(() => models.activeFile()).toBe('b.gguf\n');
  });

  engineTest('the state file goes first where the link does not resolve', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf', 'c.gguf');
    await symlink('gone.gguf', join(models.path, 'current.gguf'));
    await models.write('.active_model', 'c.gguf\n');
    await using server = await startServer(models);
    await server.serves('c.gguf');
    await expect.poll(() => models.link()).toBe('c.gguf');
  });

  engineTest('an empty directory is waited for, healthy, until a model lies in it', async () => {
    await using models = await makeModels();
    await using server = await startServer(models);
    await expect
      .poll(() => models.state(), { timeout: 5000 })
      .toMatchObject({
        phase: 'waiting',
        reason: expect.stringContaining('aixcl models add'),
      });
    expect(await server.health()).toEqual({ line: 'aixcl: waiting for a model', code: 0 });
    const before = await server.logs();
    await setTimeout(3000);
    expect(await server.logs()).toBe(before);
    await models.add('a.gguf');
    await server.serves('a.gguf', 15_000);
  });

  engineTest('a request is taken in an empty directory too', async () => {
    await using models = await makeModels();
    await using _server = await startServer(models);
    await expect.poll(() => models.state(), { timeout: 5000 }).toMatchObject({ phase: 'waiting' });
    expect(await settled(models, await models.request('gone.gguf'))).toMatchObject({
      phase: 'waiting',
      result: 'refused',
    });
  });

  engineTest('an embedding model is served when it is named', async () => {
    await using models = await makeModels();
    await writeModelOf('bert', join(models.path, 'bert.gguf'));
    await using _server = await startServer(models);
    await expect.poll(() => models.state(), { timeout: 5000 }).toMatchObject({ phase: 'waiting' });
    const state = await settled(models, await models.request('bert.gguf'));
    // This one is a language model under a false name, so that it is tried is all that can be seen.
    expect(state).toMatchObject({ result: 'reverted', want: 'bert.gguf' });
  });
});

describeEngine('a model of several files', () => {
  engineTest('is served by its folder, from its first shard', async () => {
    await using models = await makeModels('a.gguf');
    await writeSplitModel(join(models.path, 'split'), 'split');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    expect(await settled(models, await models.request('split'))).toMatchObject({
      active: 'split',
      result: 'applied',
    });
    await server.serves('split');
    expect(await models.link()).toBe('split/split-00001-of-00002.gguf');
    expect(await models.activeFile()).toBe('split\n');
    expect(await server.logs()).toMatch(
      /Active Model: split\nSize: .*\nPath: \/models\/split\/split-00001-of-00002\.gguf/,
    );
    await server.docker('restart');
    await server.serves('split');
  });

  engineTest('that lies split beside the others is served by its first part', async () => {
    await using models = await makeModels();
    await writeSplitModel(models.path, 'whole');
    await using server = await startServer(models);
    await server.serves('whole-00001-of-00002.gguf');
    const state = await settled(models, await models.request('whole-00002-of-00002.gguf'));
    expect(state).toMatchObject({ result: 'refused', reason: expect.stringContaining('name its first') });
  });

  engineTest('that lacks a part is refused', async () => {
    await using models = await makeModels('a.gguf');
    const [, second] = await writeSplitModel(join(models.path, 'split'), 'split');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await rm(second!);
    const state = await settled(models, await models.request('split'));
    expect(state).toMatchObject({ result: 'refused', reason: expect.stringContaining('-00002-of-00002') });
  });

  engineTest('gets the projector in its folder', async () => {
    await using models = await makeModels('a.gguf');
    await mkdir(join(models.path, 'vision'));
    await models.add('vision/model.gguf', 'vision/other.gguf', 'vision/mmproj.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    // The projector is none, so llama-server refuses it by name.
    expect(await settled(models, await models.request('vision'))).toMatchObject({
      result: 'reverted',
      log: expect.stringContaining('/models/vision/mmproj.gguf'),
    });
  });
});

describeEngine('init-models.sh by hand', () => {
  engineTest('tells what is active, and what is damaged or refused', async () => {
    await using models = await makeModels('a.gguf');
    await models.write('bad.gguf', 'no model');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await expect.poll(() => models.state()).toMatchObject({ phase: 'ready' });
    const { stdout, code } = await server.exec('sh', '/models/init-models.sh');
    expect(stdout).toMatch(/^Active Model: a\.gguf\nSize: .*\nPath: \/models\/a\.gguf\n/);
    expect(stdout).toContain('Damaged: bad.gguf does not begin with GGUF');
    expect(code).toBe(0);
  });

  engineTest('says that there is none, and changes nothing', async () => {
    await using models = await makeModels();
    await models.write('.active_model', '../x');
    const script = join(import.meta.dirname, '../../../services/llama-server/init-models.sh');
    const { stdout, code } = await runProcess('sh', [script], {
      env: { ...process.env, AIXCL_MODELS: models.path },
    });
    expect(stdout).toMatch(/^Refused: \.active_model.*plain name.*\nActive Model: none\n/);
    expect(code).toBe(1);
    expect(await models.activeFile()).toBe('../x');
  });
});
