import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import {
  describeEngine,
  engineTest,
  makeHome,
  ollamaImage,
  resetEngine,
  runProcess,
  testEngine,
} from '../setup/engine-test.ts';
import { servedModel } from './llama-stack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describeEngine('the packed tarball', () => {
  engineTest('installed into an empty prefix runs stack start from any folder', async () => {
    await resetEngine();
    await using home = await makeHome({ ollama: await ollamaImage(), page: 'pinned' });
    await mkdir(home.models);
    await writeSelfTestModel(join(home.models, 'a.gguf'), 'I am model A.');
    const prefix = await mkdtemp(join(tmpdir(), 'aixcl-prefix-'));
    try {
      const env = { ...process.env, HOME: prefix, npm_config_prefix: prefix, npm_config_offline: 'true' };
      const packed = await runProcess('npm', ['pack', '--silent', '--pack-destination', prefix], {
        cwd: root,
        env,
      });
      expect(packed.code, packed.stderr).toBe(0);
      const tarball = (await readdir(prefix)).find((name) => name.endsWith('.tgz')) ?? '';
      const installed = await runProcess('npm', ['install', '--global', join(prefix, tarball)], {
        cwd: prefix,
        env,
      });
      expect(installed.code, installed.stderr).toBe(0);
      // Only Node itself is on the PATH beside it.
      await symlink(process.execPath, join(prefix, 'bin', 'node'));
      const outcome = await runProcess('aixcl', ['stack', 'start'], {
        cwd: '/',
        env: {
          PATH: `${join(prefix, 'bin')}:/usr/bin:/bin`,
          HOME: home.root,
          DOCKER_HOST: testEngine().host,
          ...home.env,
        },
      });
      expect(outcome.code, outcome.stderr).toBe(0);
      expect(await servedModel(home)).toBe('a.gguf');
      const [address] = /http:\S+\?token=\S+/.exec(outcome.stdout) ?? [];
      const page = await fetch(address ?? '', { redirect: 'manual' });
      expect(page.status).toBe(303);
    } finally {
      await rm(prefix, { recursive: true, force: true });
    }
  });
});
