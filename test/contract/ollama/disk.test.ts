import { existsSync } from 'node:fs';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { blobFile, engineTest, manifestFile, seedStore } from '../../setup/engine-test.ts';
import { blobNames, describeOllama, filesOf, type RunningOllama } from './ollama.ts';

const twoHoursAgo = new Date(Date.now() - 2 * 3600 * 1000);

/** Older than Ollama's grace period of an hour. */
async function age({ directory }: RunningOllama, ...digests: string[]): Promise<void> {
  for (const digest of digests) await utimes(blobFile(directory, digest), twoHoursAgo, twoHoursAgo);
}

describeOllama('Ollama on the disk', (run) => {
  engineTest(
    'lists and shows what was laid there while it ran, and no more what was taken away',
    async () => {
      await using ollama = await run({});
      const tea = await seedStore(ollama.directory, 'tea');
      const name = 'someone/tea:v1';
      await seedStore(ollama.directory, name, tea);
      expect((await ollama.api.names()).toSorted()).toEqual([name, 'tea:latest']);
      expect(await ollama.api.show(name)).toMatchObject({ architecture: 'llama' });
      await rm(manifestFile(ollama.directory, name));
      expect(await ollama.api.names()).toEqual(['tea:latest']);
    },
  );

  engineTest('copies a model by writing its manifest once more', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    await ollama.api.copy('tea', 'someone/mug:v1');
    expect(await readFile(manifestFile(ollama.directory, 'someone/mug:v1'))).toEqual(tea.manifest);
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
  });

  engineTest('leaves a model whose config is missing out of its list, in silence', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    await rm(blobFile(ollama.directory, tea.blobs.at(-1)!.digest));
    expect(await ollama.api.names()).toEqual([]);
  });

  engineTest('lists a model whose weights are missing or zeroed as if nothing were wrong', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    const weights = tea.blobs[0]!;
    await writeFile(blobFile(ollama.directory, weights.digest), Buffer.alloc(weights.content.length));
    expect(await ollama.api.names()).toEqual(['tea:latest']);
    await rm(blobFile(ollama.directory, weights.digest));
    expect(await ollama.api.names()).toEqual(['tea:latest']);
  });

  engineTest('keeps a private key beside its models', async () => {
    await using ollama = await run({});
    const key = join(ollama.directory, 'id_ed25519');
    await expect.poll(() => existsSync(key)).toBe(true);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
  });

  engineTest(
    'prunes at a start: old blobs that no manifest names, old partials; not young ones',
    async () => {
      await using ollama = await run({ noPrune: false });
      const tea = await seedStore(ollama.directory, 'tea');
      const gone = await seedStore(ollama.directory, 'gone', { seed: 'gone', license: null, template: null });
      const fresh = await seedStore(ollama.directory, 'fresh', { seed: 'fresh' });
      for (const name of ['gone', 'fresh']) await rm(manifestFile(ollama.directory, name));
      const partial = `${gone.blobs[0]!.digest}-partial`;
      await writeFile(blobFile(ollama.directory, partial), 'half');
      await age(ollama, partial, tea.blobs[0]!.digest, gone.blobs[0]!.digest, gone.blobs.at(-1)!.digest);
      await ollama.restart();
      expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea, fresh));
    },
  );

  engineTest('prunes nothing at a start while a manifest can’t be read', async () => {
    await using ollama = await run({ noPrune: false });
    const gone = await seedStore(ollama.directory, 'gone');
    await writeFile(manifestFile(ollama.directory, 'gone'), '{');
    await age(ollama, ...gone.blobs.map(({ digest }) => digest));
    await ollama.restart();
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(gone));
  });

  engineTest('prunes nothing at a start with OLLAMA_NOPRUNE', async () => {
    await using ollama = await run({ noPrune: true });
    const gone = await seedStore(ollama.directory, 'gone');
    await rm(manifestFile(ollama.directory, 'gone'));
    await age(ollama, ...gone.blobs.map(({ digest }) => digest));
    await ollama.restart();
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(gone));
  });

  engineTest(
    'loses nothing of a restore when it starts in the middle: fresh blobs first, manifest last',
    async () => {
      await using ollama = await run({ noPrune: false });
      const tea = await seedStore(ollama.directory, 'tea');
      await rm(manifestFile(ollama.directory, 'tea'));
      await ollama.restart();
      await seedStore(ollama.directory, 'tea', tea);
      expect(await ollama.api.names()).toEqual(['tea:latest']);
      for (const { digest, content } of tea.blobs) {
        expect((await readFile(blobFile(ollama.directory, digest))).equals(content)).toBe(true);
      }
    },
  );

  engineTest('renames blobs of old with a colon in their name', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    const { digest, content } = tea.blobs[0]!;
    await rm(blobFile(ollama.directory, digest));
    await writeFile(join(ollama.directory, 'models', 'blobs', digest), content);
    await ollama.restart();
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
  });

  engineTest('keeps its models where OLLAMA_MODELS says', async () => {
    await using ollama = await run({ env: { OLLAMA_MODELS: '/root/.ollama/elsewhere/models' } });
    await seedStore(join(ollama.directory, 'elsewhere'), 'tea');
    expect(await ollama.api.names()).toEqual(['tea:latest']);
  });

  engineTest('answers "ollama list" inside, says its version, and stops at once', async () => {
    await using ollama = await run({});
    await seedStore(ollama.directory, 'tea');
    const list = await ollama.exec('ollama', 'list');
    expect(list).toMatchObject({ code: 0, stdout: expect.stringContaining('tea:latest') });
    expect(await ollama.api.version()).toMatch(/^\d+\.\d+/);
    const began = performance.now();
    await ollama.stop();
    expect(performance.now() - began).toBeLessThan(5_000);
    await expect(ollama.api.names()).rejects.toMatchObject({ code: 'notRunning' });
  });

  engineTest('takes blobs in over its API under the digest they have, and no other', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    const { digest, content } = tea.blobs[0]!;
    const address = `${ollama.api.address}/api/blobs/${digest}`;
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(200);
    await rm(blobFile(ollama.directory, digest));
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(404);
    expect((await fetch(address, { method: 'POST', body: 'other bytes' })).status).toBe(400);
    expect(existsSync(blobFile(ollama.directory, digest))).toBe(false);
    expect((await fetch(address, { method: 'POST', body: new Uint8Array(content) })).status).toBe(201);
    expect((await readFile(blobFile(ollama.directory, digest))).equals(content)).toBe(true);
  });

  engineTest('makes a model of another with a layer more', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    const made = await ollama.raw('POST', '/api/create', { model: 'mug', from: 'tea', system: 'Be brief.' });
    expect(made).toMatchObject({ status: 200, text: expect.stringContaining('success') });
    expect((await ollama.api.names()).toSorted()).toEqual(['mug:latest', 'tea:latest']);
    expect(await filesOf(ollama, 'blobs')).toEqual(expect.arrayContaining(blobNames(tea)));
  });

  engineTest('serves a model whose files are whole, and none whose weights are zeroed', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    const ask = () => ollama.raw('POST', '/api/generate', { model: 'tea', prompt: 'Hello!', stream: false });
    const answer = await ask();
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ done: true, response: expect.stringMatching(/\S/) });
    await ollama.stop();
    const { digest, content } = tea.blobs[0]!;
    await writeFile(blobFile(ollama.directory, digest), Buffer.alloc(content.length));
    await ollama.start();
    expect((await ask()).status).toBe(400);
    await expect(ollama.api.show('tea')).rejects.toMatchObject({ code: 'unexpected' });
    // Though its list has it.
    await rm(blobFile(ollama.directory, digest));
    await expect(ollama.api.show('tea')).rejects.toMatchObject({ code: 'notFound' });
  });
});
