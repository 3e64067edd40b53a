import { rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { writeUnloadableModel } from '../../../src/models/test-models.ts';
import { describeEngine, engineTest } from '../../setup/engine-test.ts';
import { endsWith, exists, makeModels, neverHealthyWith, ownFolder, settled, startServer } from './server.ts';

const noProjector = [
  'ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected',
  '0.00.101.001 W common_fit_params: failed to fit params to free device memory',
  '0.00.193.492 E mtmd_init_from_file: error: Failed to load CLIP model from /models/mmproj.gguf',
  '0.00.193.587 E srv    load_model: failed to load multimodal model',
  '0.00.193.676 E srv  llama_server: exiting due to model loading error',
];

describeEngine('a model that does not load', () => {
  engineTest('never replaces one that does, and the reason is told', async () => {
    await using models = await makeModels('good.gguf');
    await writeUnloadableModel(join(models.path, 'no.gguf'));
    await using server = await startServer(models);
    await server.serves('good.gguf');

    expect(await settled(models, await models.request('no.gguf'))).toMatchObject({
      phase: 'ready',
      active: 'good.gguf',
      last_good: 'good.gguf',
      want: 'no.gguf',
      result: 'reverted',
      reason: expect.stringContaining("tensor 'output_norm.weight' not found"),
      log: expect.stringContaining('exiting due to model loading error'),
    });
    await server.serves('good.gguf');
    expect(await models.link()).toBe('good.gguf');
    expect(await models.activeFile()).toBe('good.gguf\n');
    expect(await server.health()).toEqual({ line: 'aixcl: ready good.gguf', code: 0 });
  });

  engineTest('is told of by its first error, and never by that it ends', async () => {
    await using models = await makeModels('good.gguf', 'eye.gguf');
    await writeFile(join(models.path, 'ends'), endsWith('eye.gguf', noProjector), { mode: 0o755 });
    await using server = await startServer(models, {
      options: ['--volume', `${models.path}/ends:/app/llama-server:ro`],
    });
    await models.write('.active_model', 'good.gguf\n');
    await server.serves('good.gguf');
    expect((await settled(models, await models.request('eye.gguf'))).reason).toBe(
      'llama-server could not load eye.gguf (exit status 1): ' +
        'mtmd_init_from_file: error: Failed to load CLIP model from /models/mmproj.gguf',
    );
  });

  engineTest('asked for by hand goes back too, and link and file with it', async () => {
    await using models = await makeModels('good.gguf');
    await writeUnloadableModel(join(models.path, 'no.gguf'));
    await using server = await startServer(models);
    await server.serves('good.gguf');

    await models.write('.active_model', 'no.gguf\n');
    await expect
      .poll(() => models.state(), { timeout: 10_000 })
      .toMatchObject({ phase: 'ready', active: 'good.gguf', result: 'reverted', want: 'no.gguf' });
    await server.serves('good.gguf');
    expect(await models.activeFile()).toBe('good.gguf\n');
  });

  engineTest(
    'asked for while the container was stopped is tried at its start, then gone back from',
    async () => {
      await using models = await makeModels('good.gguf', 'other.gguf');
      await writeUnloadableModel(join(models.path, 'no.gguf'));
      await using server = await startServer(models);
      await server.serves('good.gguf');

      await server.docker('stop');
      const other = await models.request('other.gguf');
      await server.docker('start');
      expect(await settled(models, other)).toMatchObject({ active: 'other.gguf', result: 'applied' });

      await server.docker('stop');
      const no = await models.request('no.gguf');
      await server.docker('start');
      expect(await settled(models, no)).toMatchObject({ active: 'other.gguf', result: 'reverted' });
      await server.serves('other.gguf');
      expect(await exists(models, '.aixcl/request')).toBe(false);
      expect(await exists(models, '.aixcl/request.taken')).toBe(false);
    },
  );

  engineTest('and is all there is: nothing is served, and nothing ends and starts over', async () => {
    await using models = await makeModels();
    await writeUnloadableModel(join(models.path, 'no.gguf'));
    await using server = await startServer(models);
    await expect
      .poll(() => models.state(), { timeout: 10_000 })
      .toMatchObject({
        phase: 'failed',
        reason: expect.stringContaining("tensor 'output_norm.weight' not found"),
      });
    expect(await server.health()).toMatchObject({ code: 1, line: expect.stringMatching(/^aixcl: failed/) });
    const before = await server.logs();
    await setTimeout(5000);
    expect(await server.logs()).toBe(before);

    await models.add('good.gguf');
    await server.serves('good.gguf', 15_000);
  });

  engineTest('is passed over by the default choice', async () => {
    await using models = await makeModels('z.gguf');
    await writeUnloadableModel(join(models.path, 'a.gguf'));
    await using server = await startServer(models);
    await server.serves('z.gguf');
    await expect
      .poll(() => models.state())
      .toMatchObject({ active: 'z.gguf', reason: expect.stringContaining('a.gguf') });
  });

  engineTest('though it was the active one is replaced by what is left, and that is told', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await settled(models, await models.request('b.gguf'));
    await server.docker('stop');
    await truncate(join(models.path, 'b.gguf'), 10_000);
    await server.docker('start');
    await server.serves('a.gguf', 20_000);
    await expect
      .poll(() => models.state())
      .toMatchObject({
        active: 'a.gguf',
        result: 'reverted',
        want: 'b.gguf',
        reason: expect.stringContaining('b.gguf'),
      });
  });
});

describeEngine('a wish that can not be had', () => {
  for (const [what, name, why] of [
    ['a model that is not there', 'gone.gguf', /there is no gone\.gguf/],
    ['a path', '../../etc/passwd', /plain name/],
    ['an option', '-rf', /plain name/],
    ['the link itself', 'current.gguf', /not a model's name/],
    ['a file that is no GGUF', 'text.gguf', /does not begin with GGUF/],
    ['an empty file', 'empty.gguf', /does not begin with GGUF/],
    ['a link that leaves the directory', 'out.gguf', /leads out of the models directory/],
  ] as const) {
    engineTest(`is refused without touching what is served: ${what}`, async () => {
      await using models = await makeModels('good.gguf');
      await models.write('text.gguf', 'not a model');
      await models.write('empty.gguf', '');
      await using server = await startServer(models);
      await server.serves('good.gguf');
      const [before] = await server.processes();
      await server.exec('ln', '-s', '/usr/bin/curl', '/models/out.gguf');

      expect(await settled(models, await models.request(name))).toMatchObject({
        phase: 'ready',
        active: 'good.gguf',
        result: 'refused',
        reason: expect.stringMatching(why),
      });
      expect(await server.processes()).toEqual([before]);
    });
  }

  engineTest('does not end a switch that is under way; a newer one that can be had does', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf', 'c.gguf');
    await writeFile(join(models.path, 'slow'), neverHealthyWith('b.gguf'), { mode: 0o755 });
    await using server = await startServer(models, {
      options: ['--volume', `${models.path}/slow:/app/llama-server:ro`],
    });
    await server.serves('a.gguf');
    const first = await models.request('b.gguf');
    const under = {
      request: first,
      phase: 'switching',
      result: 'pending',
      model: 'b.gguf',
      active: 'a.gguf',
    };
    await expect.poll(() => models.state(), { timeout: 5000 }).toMatchObject(under);
    await models.request('gone.gguf');
    await setTimeout(2000);
    expect(await models.state()).toMatchObject(under);
    const second = await models.request('c.gguf');
    expect(await settled(models, second)).toMatchObject({
      active: 'c.gguf',
      result: 'applied',
      superseded: first,
    });
    await server.serves('c.gguf');
  });
});

describeEngine('arguments of a model', () => {
  engineTest('are given to llama-server when it is asked for again', async () => {
    await using models = await makeModels('a.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await ownFolder(models.path);
    await models.write('.aixcl/args/a.gguf', '--ctx-size\n128\n--parallel\n1\n');
    expect(await settled(models, await models.request('a.gguf'))).toMatchObject({ result: 'applied' });
    const [pid] = await server.processes();
    expect(await server.docker('top')).toMatchObject({
      stdout: expect.stringMatching(/--ctx-size 128 --parallel 1 --model \/models\/a\.gguf --alias a\.gguf/),
    });
    expect(pid).toBeDefined();
  });

  engineTest('that it does not come up with are set aside, and the earlier ones are back', async () => {
    await using models = await makeModels('a.gguf');
    await ownFolder(models.path);
    await models.write('.aixcl/args/a.gguf', '--ctx-size\n128\n');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await models.write('.aixcl/args/a.gguf', '--no-such-option\n$(touch /models/evaluated)\n');
    expect(await settled(models, await models.request('a.gguf'))).toMatchObject({
      phase: 'ready',
      active: 'a.gguf',
      result: 'reverted',
      reason: expect.stringContaining('--no-such-option'),
    });
    expect((await server.exec('cat', '/models/.aixcl/args/a.gguf')).stdout).toBe('--ctx-size\n128\n');
    expect((await server.exec('cat', '/models/.aixcl/args/a.gguf.failed')).stdout).toContain(
      '--no-such-option',
    );
    expect(await exists(models, 'evaluated')).toBe(false);
  });

  engineTest(
    'that are changed for the worse while the container is stopped do not cost the model',
    async () => {
      await using models = await makeModels('a.gguf');
      await using server = await startServer(models);
      await server.serves('a.gguf');
      await server.docker('stop');
      await ownFolder(models.path);
      await models.write('.aixcl/args/a.gguf', '--no-such-option\n');
      await server.docker('start');
      await server.serves('a.gguf');
      expect(await exists(models, '.aixcl/args/a.gguf')).toBe(false);
      expect(await exists(models, '.aixcl/args/a.gguf.failed')).toBe(true);
      await expect.poll(() => models.state()).toMatchObject({ result: 'reverted' });
    },
  );

  engineTest('can neither name another model or address, nor a file outside the directory', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await ownFolder(models.path);
    for (const [args, why] of [
      ['--port\n9999\n', /--port/],
      ['-m\n/models/b.gguf\n', /-m /],
      ['--mmproj\n../etc/passwd\n', /not in the models directory/],
    ] as const) {
      await writeFile(join(models.path, '.aixcl/args/a.gguf'), args);
      expect(await settled(models, await models.request('a.gguf'))).toMatchObject({
        active: 'a.gguf',
        result: 'reverted',
        reason: expect.stringMatching(why),
      });
    }
    await server.serves('a.gguf');
  });
});

describeEngine('a container that is killed in a switch', () => {
  engineTest('goes on with it at its next start', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    const id = await models.request('b.gguf');
    await expect.poll(() => exists(models, '.aixcl/request'), { interval: 10 }).toBe(false);
    await server.docker('kill');
    await server.docker('start');
    expect(await settled(models, id)).toMatchObject({ active: 'b.gguf', result: 'applied' });
    await server.serves('b.gguf');
  });

  engineTest('gives a model up that it died with three times', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await server.docker('stop');
    await writeFile(
      join(models.path, '.aixcl/state'),
      'phase: switching\nactive: a.gguf\nlast_good: a.gguf\napplied_link: a.gguf\napplied_file: a.gguf\n' +
        'want: b.gguf\nrequest: r1\nresult: pending\ntries: 3\n',
    );
    await writeFile(join(models.path, '.aixcl/request.taken'), 'id: r1\nname: b.gguf\n');
    await server.docker('start');
    expect(await settled(models, 'r1')).toMatchObject({
      active: 'a.gguf',
      result: 'reverted',
      reason: expect.stringContaining('3 times'),
    });
    await server.serves('a.gguf');
  });

  engineTest('forgets nothing when the models are gone and come back', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await settled(models, await models.request('b.gguf'));
    await server.docker('stop');
    await unlink(join(models.path, 'a.gguf'));
    await unlink(join(models.path, 'b.gguf'));
    await server.docker('start');
    await expect.poll(() => models.state(), { timeout: 10_000 }).toMatchObject({ phase: 'waiting' });
    // As a disk that is mounted late brings them: one that stood there alone for a moment would be served.
    await models.add('.b', '.a');
    for (const name of ['b', 'a'])
      await rename(join(models.path, `.${name}`), join(models.path, `${name}.gguf`));
    await server.serves('b.gguf', 15_000);
  });
});
