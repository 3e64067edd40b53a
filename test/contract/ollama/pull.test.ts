import { readFile, stat, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import {
  blobFile,
  engineTest,
  manifestFile,
  ollamaModel,
  pushModel,
  seedStore,
  startRegistry,
} from '../../setup/engine-test.ts';
import { blobNames, describeOllama, filesOf } from './ollama.ts';

describeOllama('Ollama pulls', (run) => {
  engineTest('a model, with progress of each blob, to the registry’s own bytes', async () => {
    await using registry = await startRegistry();
    const tea = await pushModel(registry, 'tea', { noise: 4e6 });
    registry.pace = 8e6;
    await using ollama = await run({});
    const name = registry.name('tea:latest');
    const lines = await ollama.pull(name);

    expect(lines[0]).toEqual({ status: 'pulling manifest' });
    expect(lines.at(-1)).toEqual({ status: 'success' });
    // A blob that comes within a tick may have no line.
    const [weights] = tea.blobs;
    const progress = lines.filter(({ digest }) => digest === weights!.digest);
    expect(progress.length).toBeGreaterThan(1);
    expect(new Set(progress.map(({ total }) => total))).toEqual(new Set([weights!.content.length]));
    for (const { digest, content } of tea.blobs) {
      expect((await readFile(blobFile(ollama.directory, digest))).equals(content)).toBe(true);
    }
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
    expect(await readFile(manifestFile(ollama.directory, name))).toEqual(tea.manifest);
    expect(await ollama.api.names()).toEqual([name]);
    expect(await ollama.api.show(name)).toMatchObject({
      architecture: 'llama',
      contextLength: 8192,
      quantization: 'F32',
      license: 'apache-2.0',
      parameters: expect.any(Number),
    });
  });

  engineTest(
    'what is there already without looking at it: a damaged blob stays, and it reports success',
    async () => {
      await using registry = await startRegistry();
      const tea = await pushModel(registry, 'tea');
      await using ollama = await run({});
      const name = registry.name('tea:latest');
      await ollama.pull(name);
      const [weights] = tea.blobs;
      const file = blobFile(ollama.directory, weights!.digest);
      await writeFile(file, Buffer.alloc(weights!.content.length));

      expect((await ollama.pull(name)).at(-1)).toEqual({ status: 'success' });
      expect((await readFile(file)).equals(Buffer.alloc(weights!.content.length))).toBe(true);
      // Even one of no size.
      await writeFile(file, '');
      expect((await ollama.pull(name)).at(-1)).toEqual({ status: 'success' });
      expect((await stat(file)).size).toBe(0);
    },
  );

  engineTest('no bytes that differ from their digest: an error, and the blob is gone', async () => {
    await using registry = await startRegistry();
    const tea = await pushModel(registry, 'tea');
    const [weights] = tea.blobs;
    registry.intercept = (request, response) => {
      if (request.method !== 'GET' || !request.url?.endsWith(weights!.digest)) return false;
      const wrong = Buffer.alloc(weights!.content.length);
      response.writeHead(200, { location: request.url, 'content-length': wrong.length }).end(wrong);
      return true;
    };
    await using ollama = await run({});
    await expect(ollama.pull(registry.name('tea'))).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('digest mismatch'),
    });
    expect(await filesOf(ollama, 'manifests')).toEqual([]);
    expect(await filesOf(ollama, 'blobs')).not.toContain(weights!.digest.replace(':', '-'));
  });

  engineTest('nothing that is not there: an error that comes with status 200', async () => {
    await using registry = await startRegistry();
    await using ollama = await run({});
    const name = registry.name('nothing');
    await expect(ollama.pull(name)).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('file does not exist'),
    });
    expect((await ollama.raw('POST', '/api/pull', { model: name, insecure: true })).status).toBe(200);
  });

  engineTest('over http only when told so', async () => {
    await using registry = await startRegistry();
    await pushModel(registry, 'tea');
    await using ollama = await run({});
    const answer = await ollama.raw('POST', '/api/pull', { model: registry.name('tea') });
    expect(answer.text).toContain('error');
    expect(await ollama.api.names()).toEqual([]);
  });

  engineTest(
    'a changed tag: the manifest is overwritten; the layers of old stay with OLLAMA_NOPRUNE',
    async () => {
      await using registry = await startRegistry();
      const old = await pushModel(registry, 'tea', { seed: 'old' });
      await using ollama = await run({});
      const name = registry.name('tea:latest');
      await ollama.pull(name);
      const fresh = await pushModel(registry, 'tea', { seed: 'new' });
      await ollama.pull(name);
      expect(await readFile(manifestFile(ollama.directory, name))).toEqual(fresh.manifest);
      expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(old, fresh));
    },
  );

  engineTest('a changed tag: without it the layers of old are gone', async () => {
    await using registry = await startRegistry();
    await pushModel(registry, 'tea', { seed: 'old' });
    await using ollama = await run({ noPrune: false });
    await ollama.pull(registry.name('tea'));
    const fresh = await pushModel(registry, 'tea', { seed: 'new' });
    await ollama.pull(registry.name('tea'));
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(fresh));
  });

  engineTest('on after it was broken off: partial files, no manifest, then the whole model', async () => {
    await using registry = await startRegistry();
    const tea = await pushModel(registry, 'tea', { noise: 40e6 });
    registry.pace = 20e6;
    await using ollama = await run({});
    const name = registry.name('tea:latest');
    const abort = new AbortController();
    const pulling = (async () => {
      for await (const line of ollama.api.pull(name, { insecure: true, signal: abort.signal })) {
        if ((line.completed ?? 0) > 1e6) abort.abort(new Error('enough'));
      }
    })();
    await expect(pulling).rejects.toThrow('enough');
    const partial = `${tea.blobs[0]!.digest.replace(':', '-')}-partial`;
    const left = await filesOf(ollama, 'blobs');
    expect(left).toContain(partial);
    expect(left).toContain(`${partial}-0`);
    expect(left).not.toContain(tea.blobs[0]!.digest.replace(':', '-'));
    // Of full size from the start: its size says nothing.
    expect((await stat(blobFile(ollama.directory, `${tea.blobs[0]!.digest}-partial`))).size).toBe(
      tea.blobs[0]!.content.length,
    );
    expect(await filesOf(ollama, 'manifests')).toEqual([]);

    registry.pace = undefined;
    await ollama.pull(name);
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
    const { digest, content } = tea.blobs[0]!;
    expect((await readFile(blobFile(ollama.directory, digest))).equals(content)).toBe(true);
  });

  engineTest('under the spelling that is on the disk', async () => {
    await using registry = await startRegistry();
    const tea = await pushModel(registry, 'tea');
    await using ollama = await run({});
    await ollama.pull(registry.name('tea:latest'));
    await ollama.pull(registry.name('TEA:LATEST'));
    expect(await ollama.api.names()).toEqual([registry.name('tea:latest')]);
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
  });

  engineTest('beside a manifest that can’t be read, and over it', async () => {
    await using registry = await startRegistry();
    await pushModel(registry, 'tea');
    await using ollama = await run({});
    const name = registry.name('tea:latest');
    await seedStore(ollama.directory, name, await ollamaModel());
    await writeFile(manifestFile(ollama.directory, name), '{"schema');
    expect(await ollama.api.names()).toEqual([]);
    await ollama.pull(name);
    expect(await ollama.api.names()).toEqual([name]);
  });
});
