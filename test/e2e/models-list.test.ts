import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { aixcl, engineTest, manifestFile, seedStore } from '../setup/engine-test.ts';
import { describeWithOllama } from './ollama-stack.ts';

describeWithOllama('models list', (ollamaHome) => {
  engineTest('shows the models of both runtimes, also with everything stopped', async () => {
    await using home = await ollamaHome();
    const { digest } = await seedStore(home.ollama, 'tea:1b');
    await mkdir(home.models, { recursive: true });
    await writeSelfTestModel(join(home.models, 'a.gguf'));
    await home.ok('stack', 'stop');

    const { json } = await home.ok('models', 'list', '--offline', '--format', 'json');
    expect(json).toMatchObject([
      { name: 'tea:1b', runtime: 'ollama', digest: `sha256:${digest}`, source: null, damaged: false },
      { name: 'a.gguf', runtime: 'llama-server', source: null, lastBackup: null },
    ]);
    const alone = await home.ok('models', 'list', '--runtime', 'ollama', '--offline', '--format', 'json');
    expect(alone.json.map(({ name }) => name)).toEqual(['tea:1b']);
    const shown = await home.ok('models', 'show', 'tea:1b', '--offline', '--format', 'json');
    expect(shown.json[0]).toMatchObject({
      architecture: 'llama',
      license: 'apache-2.0',
      chatTemplate: '{{ .Prompt }}',
      contextLength: expect.any(Number),
      backups: [],
    });
  });

  engineTest('flags a manifest that is cut, and shows the others', async () => {
    await using home = await ollamaHome();
    await seedStore(home.ollama, 'tea', { seed: 'tea' });
    await seedStore(home.ollama, 'coffee', { seed: 'coffee' });
    await truncate(manifestFile(home.ollama, 'tea'), 30);
    const outcome = await aixcl(['models', 'list', '--offline', '--format', 'json'], { home });
    expect(outcome.code).toBe(0);
    expect(outcome.json).toMatchObject([
      { name: 'coffee:latest', damaged: false },
      { name: 'tea:latest', damaged: true },
    ]);
    expect(outcome.stderr).toContain('tea:latest is damaged');
  });

  engineTest('says of what came from nowhere that it is unique, and asks nobody else for long', async () => {
    await using home = await ollamaHome();
    await seedStore(home.ollama, '127.0.0.1:1/library/tea');
    const before = performance.now();
    const { json } = await home.ok('models', 'list', '--format', 'json');
    expect(json).toMatchObject([{ source: 'unique' }]);
    expect(performance.now() - before).toBeLessThan(4000);
  });
});
