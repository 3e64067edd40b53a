import { expect } from 'vitest';
import { ollamaApi } from '../../src/adapters/ollama/api/api.ts';
import {
  aixcl,
  describeEngine,
  docker,
  engineTest,
  makeHome,
  ollamaImages,
  pushModel,
  resetEngine,
  seedStore,
  startRegistry,
} from '../setup/engine-test.ts';

for (const { who, image } of ollamaImages()) {
  describeEngine(`the service ollama: ${who}`, () => {
    engineTest(
      'comes up healthy over the home’s folder, pulls, serves, and keeps it all over a restart',
      async () => {
        await resetEngine();
        await using registry = await startRegistry();
        await pushModel(registry, 'mug', { seed: 'mug' });
        await using home = await makeHome({ ollama: await image() });
        const start = await aixcl(['service', 'start', 'ollama'], { home });
        expect(start.code, start.stderr).toBe(0);
        const api = ollamaApi(`http://127.0.0.1:${home.ports.ollama}`);

        await seedStore(home.ollama, 'tea');
        const signal = new AbortController().signal;
        for await (const _ of api.pull(registry.name('mug'), { insecure: true, signal }));
        const both = [registry.name('mug:latest'), 'tea:latest'].toSorted();
        expect((await api.names()).toSorted()).toEqual(both);

        const began = performance.now();
        const restart = await aixcl(['service', 'restart', 'ollama'], { home });
        expect(restart.code, restart.stderr).toBe(0);
        expect(performance.now() - began).toBeLessThan(30_000);
        expect((await api.names()).toSorted()).toEqual(both);
        const answer = await fetch(`${api.address}/api/generate`, {
          method: 'POST',
          body: JSON.stringify({ model: 'tea', prompt: 'Hello!', stream: false }),
        });
        expect(await answer.json()).toMatchObject({ done: true, response: expect.stringMatching(/\S/) });
        await docker(['rm', '--force', 'ollama']);
        expect((await aixcl(['service', 'start', 'ollama'], { home })).code).toBe(0);
        expect((await api.names()).toSorted()).toEqual(both);
      },
    );
  });
}
