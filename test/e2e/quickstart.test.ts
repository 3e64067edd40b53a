import { expect } from 'vitest';
import { selfTestSentence } from '../../src/models/self-test-model.ts';
import {
  aixcl,
  describeEngine,
  engineTest,
  makeHome,
  resetEngine,
  type TestHome,
} from '../setup/engine-test.ts';
import { containers, ok, servedModel } from './llama-stack.ts';

/** A home that names no image, so that the pins of the definition count. */
async function plainHome(): Promise<TestHome> {
  await resetEngine();
  const home = await makeHome({ page: 'pinned' });
  const { LLAMA_SERVER_IMAGE: _image, NODE_IMAGE: _node, ...env } = home.env;
  return { ...home, env, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

describeEngine('quickstart', () => {
  engineTest(
    'goes from nothing to an answer, and a second run takes seconds',
    async () => {
      await using home = await plainHome();
      const first = await aixcl(['quickstart', '--yes'], { home, timeout: 600_000 });
      expect(first.code, first.stderr).toBe(0);
      expect(first.stdout).toContain(selfTestSentence);
      expect(first.stdout).toContain(`http://127.0.0.1:${home.ports.llamaServer}`);
      expect(first.stdout).toMatch(new RegExp(`upload-ui +http://127.0.0.1:${home.ports.page}`));
      expect(first.stdout).toContain(home.models);
      expect(first.stderr).toContain("Debian's packages");
      expect(first.stdout).toMatch(/ollama is left out: .*ollama\/ollama/);
      expect(await servedModel(home)).toBe('aixcl-self-test.gguf');

      const began = performance.now();
      const second = await aixcl(['quickstart', '--yes', '--format', 'json'], { home });
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(second.json.at(-1)).toMatchObject({
        type: 'quickstart',
        answer: selfTestSentence,
        leftOut: [{ service: 'ollama' }],
      });
      expect(await containers()).toEqual(['llama-server running', 'upload-ui running']);
    },
    700_000,
  );

  engineTest('leaves a stack that stack start brings up with exit 0', async () => {
    await using home = await plainHome();
    await ok(home, 'quickstart', '--yes');
    await ok(home, 'stack', 'start');
    expect((await ok(home, 'stack', 'status', '--check')).stdout).toContain('Services: 2/2 healthy');
  });

  engineTest('leaves models alone that are here: it activates one of them', async () => {
    await using home = await plainHome();
    await ok(home, 'quickstart', '--yes');
    await ok(home, 'stack', 'stop');
    const again = await aixcl(['quickstart', '--yes'], { home });
    expect(again.stderr).not.toContain('There was no model');
    expect(again.code).toBe(0);
  });

  engineTest('never starts or installs an engine in place of one that the user named', async () => {
    await using home = await plainHome();
    const outcome = await aixcl(['quickstart', '--yes'], {
      home,
      env: { DOCKER_HOST: `unix://${home.root}/none.sock` },
    });
    expect(outcome.code).toBe(10);
  });
});
