import { existsSync } from 'node:fs';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { aixcl, blobFile, docker, engineTest, manifestFile, seedStore } from '../setup/engine-test.ts';
import type { OllamaModel } from '../setup/ollama-model.ts';
import { describeWithOllama, stepsOf } from './ollama-stack.ts';

describeWithOllama('models remove and undo, of models of Ollama', (ollamaHome) => {
  engineTest(
    'every blob and the manifest come back with the sha256 that they had, and Ollama lists it',
    async () => {
      await using home = await ollamaHome();
      const tea = await seedStore(home.ollama, 'tea');
      const removed = await home.ok('models', 'remove', 'tea', '--yes', '--format', 'json');
      expect(stepsOf(removed)).toEqual(['remove tea:latest done']);
      expect(existsSync(manifestFile(home.ollama, 'tea'))).toBe(false);
      expect((await home.ok('models', 'list', '--format', 'json')).json).toEqual([]);

      const back = await home.ok('undo', '--format', 'json');
      expect(stepsOf(back)).toEqual(['restore tea:latest done']);
      await expectWhole(home.ollama, 'tea', tea);
      expect((await docker(['exec', 'ollama', 'ollama', 'list'])).stdout).toContain('tea:latest');
      await home.ok('models', 'verify', 'tea');
      expect((await aixcl(['undo'], { home })).code).toBe(4);
    },
  );

  engineTest('is refused off a terminal without --yes, and then nothing has changed', async () => {
    await using home = await ollamaHome();
    const tea = await seedStore(home.ollama, 'tea');
    const refused = await aixcl(['models', 'remove', 'tea'], { home });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('the vault takes over');
    await expectWhole(home.ollama, 'tea', tea);
    expect(existsSync(join(home.root, 'vault'))).toBe(false);
  });

  engineTest('one of two tags that share layers leaves the other whole', async () => {
    await using home = await ollamaHome();
    await seedStore(home.ollama, 'tea:one', { seed: 'same', license: 'one' });
    const two = await seedStore(home.ollama, 'tea:two', { seed: 'same', license: 'two' });
    const shown = await aixcl(['models', 'remove', 'tea:one'], { home });
    expect(shown.stderr).toContain('stays: ');
    expect(shown.stderr).toContain('tea:two has too');
    await home.ok('models', 'remove', 'tea:one', '--yes');
    await expectWhole(home.ollama, 'tea:two', two);
    await home.ok('models', 'verify');
    // What stays must not be the vault's: Ollama writes there.
    const { ino } = await stat(blobFile(home.ollama, two.blobs[0]!.digest));
    expect((await stat(vaultBlob(home.root, two.blobs[0]!.digest))).ino).not.toBe(ino);
  });

  engineTest(
    'while a manifest is cut, removing another is refused; the cut one goes and costs no blob',
    async () => {
      await using home = await ollamaHome();
      const tea = await seedStore(home.ollama, 'tea', { seed: 'same' });
      await seedStore(home.ollama, 'milk', { seed: 'same', license: 'other' });
      await truncate(manifestFile(home.ollama, 'milk'), 20);
      const refused = await aixcl(['models', 'remove', 'tea', '--yes'], { home });
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain('milk:latest');
      await expectWhole(home.ollama, 'tea', tea);
      await home.ok('models', 'remove', 'milk', '--yes');
      await expectWhole(home.ollama, 'tea', tea);
      await home.ok('models', 'remove', 'tea', '--yes');
    },
  );

  engineTest('a damaged model is told as damaged; its backup is kept and is no good copy', async () => {
    await using home = await ollamaHome();
    const tea = await seedStore(home.ollama, 'tea');
    const whole = await home.ok('backups', 'create', 'tea');
    expect(whole.stdout).toContain('b0001');
    const [weights] = tea.blobs;
    await writeFile(blobFile(home.ollama, weights!.digest), Buffer.alloc(weights!.content.length));
    const failed = await aixcl(['backups', 'create', 'tea'], { home });
    expect(failed.code).toBe(7);
    expect(failed.stderr).toContain(weights!.digest.replace('sha256:', ''));

    const removed = await home.ok('models', 'remove', 'tea', '--yes');
    expect(`${removed.stdout}${removed.stderr}`).toMatch(/damaged/);
    const backups = (await home.ok('backups', 'list', '--format', 'json')).json;
    expect(backups.map(({ id, verified, damage }) => [id, verified !== null, damage !== null])).toEqual([
      ['b0002', false, true],
      ['b0001', true, false],
    ]);
    expect((await aixcl(['backups', 'verify'], { home })).code).toBe(7);
    await home.ok('backups', 'verify', 'b0001');
    expect(removed.stdout).toContain('aixcl backups restore b0002 --to DIR');
    expect((await aixcl(['undo'], { home })).code).toBe(7);
    await home.ok('backups', 'restore', 'b0001');
    await expectWhole(home.ollama, 'tea', tea);
  });

  engineTest(
    'with Ollama stopped is exit 12 and nothing changes; undo, restore and create need no Ollama',
    async () => {
      await using home = await ollamaHome();
      const tea = await seedStore(home.ollama, 'tea');
      const milk = await seedStore(home.ollama, 'milk', { seed: 'milk' });
      await home.ok('models', 'remove', 'tea', '--yes');
      await home.ok('stack', 'stop', 'ollama');
      const stopped = await aixcl(['models', 'remove', 'milk', '--yes'], { home });
      expect(stopped.code).toBe(12);
      expect(stopped.stderr).toContain('aixcl service start ollama');
      await expectWhole(home.ollama, 'milk', milk);
      await home.ok('backups', 'create');
      await home.ok('undo');
      await expectWhole(home.ollama, 'tea', tea);
      await home.ok('stack', 'start', 'ollama');
      await home.ok('models', 'verify');
    },
  );

  engineTest('of several, each has its own outcome; all of them come back at once', async () => {
    await using home = await ollamaHome();
    const tea = await seedStore(home.ollama, 'tea', { seed: 'tea' });
    const milk = await seedStore(home.ollama, 'milk', { seed: 'milk' });
    const some = await aixcl(['models', 'remove', 'tea', 'none', 'milk', '--yes', '--format', 'json'], {
      home,
    });
    expect(some.code).toBe(5);
    expect(stepsOf(some).sort()).toEqual([
      'remove milk:latest done',
      'remove none failed',
      'remove tea:latest done',
    ]);
    await home.ok('undo');
    await expectWhole(home.ollama, 'tea', tea);
    await expectWhole(home.ollama, 'milk', milk);
  });

  engineTest('what is put back over another version keeps that one; undo has it again', async () => {
    await using home = await ollamaHome();
    const old = await seedStore(home.ollama, 'tea', { seed: 'old' });
    await home.ok('models', 'remove', 'tea', '--yes');
    const next = await seedStore(home.ollama, 'tea', { seed: 'new' });
    expect((await aixcl(['undo'], { home })).code).toBe(3);
    await expectWhole(home.ollama, 'tea', next);
    await home.ok('undo', '--yes');
    await expectWhole(home.ollama, 'tea', old);
    await home.ok('undo', '--yes');
    await expectWhole(home.ollama, 'tea', next);
  });

  engineTest(
    'a store that was lost and made empty is no success of a backup, and nothing is cleaned up',
    async () => {
      await using home = await ollamaHome();
      await seedStore(home.ollama, 'tea');
      await home.ok('backups', 'create');
      await docker(['exec', 'ollama', 'sh', '-c', 'rm -rf /root/.ollama/models']);
      const empty = await aixcl(['backups', 'create'], { home });
      expect(empty.code).toBe(7);
      expect(empty.stderr).toContain('tea:latest');
      const cleanup = await aixcl(['backups', 'cleanup', '--retention-days', '0', '--execute'], { home });
      expect(cleanup.code).toBe(3);
    },
  );
});

async function expectWhole(store: string, name: string, model: OllamaModel): Promise<void> {
  expect(await readFile(manifestFile(store, name))).toEqual(model.manifest);
  for (const { digest, content } of model.blobs) {
    expect((await readFile(blobFile(store, digest))).equals(content), digest).toBe(true);
  }
}

function vaultBlob(root: string, digest: string): string {
  return join(root, 'vault', 'blobs', 'sha256', digest.replace('sha256:', ''));
}
