import { existsSync } from 'node:fs';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startTestServer } from '../../src/adapters/download/test-server.ts';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { aixcl, blobFile, engineTest, manifestFile, pushModel, startRegistry } from '../setup/engine-test.ts';
import { describeWithOllama, stepsOf } from './ollama-stack.ts';

describeWithOllama('models verify', (ollamaHome) => {
  engineTest('names model and blob; --repair mends that blob alone, from its registry', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const model = await pushModel(registry, 'tea');
    const name = registry.name('tea');
    await home.ok('models', 'add', name);
    expect((await home.ok('models', 'verify')).stdout).toContain(`ok ${name}:latest`);
    const [weights] = model.blobs;
    const path = blobFile(home.ollama, weights!.digest);
    await writeFile(path, Buffer.alloc(weights!.content.length));

    const found = await aixcl(['models', 'verify', '--format', 'json'], { home });
    expect(found.code).toBe(7);
    expect(found.stderr).toContain(`${name}:latest`);
    expect(found.stderr).toContain(weights!.digest.replace(':', '-'));
    expect(stepsOf(found)).toHaveLength(1);

    await home.ok('models', 'verify', '--repair', name);
    expect(await readFile(path)).toEqual(weights!.content);
    expect(await readdir(join(home.root, 'vault', 'quarantine'))).not.toEqual([]);
    await home.ok('models', 'verify', name);
  });

  engineTest('--repair takes right bytes from the vault, and needs neither source nor Ollama', async () => {
    await using home = await ollamaHome();
    const registry = await startRegistry();
    const model = await pushModel(registry, 'tea');
    const name = registry.name('tea');
    await home.ok('models', 'add', name);
    await registry[Symbol.asyncDispose]();
    await home.ok('backups', 'create', name);
    await home.ok('stack', 'stop');
    const [weights] = model.blobs;
    const path = blobFile(home.ollama, weights!.digest);
    await writeFile(path, Buffer.alloc(weights!.content.length));
    await truncate(manifestFile(home.ollama, name), 20);

    expect((await aixcl(['models', 'verify'], { home })).code).toBe(7);
    await home.ok('models', 'verify', '--repair');
    expect(await readFile(path)).toEqual(weights!.content);
    expect(await readFile(manifestFile(home.ollama, name))).toEqual(model.manifest);
  });

  engineTest('what nobody has the right bytes of stays as it is; exit 7', async () => {
    await using home = await ollamaHome();
    const registry = await startRegistry();
    const model = await pushModel(registry, 'tea');
    const name = registry.name('tea');
    await home.ok('models', 'add', name);
    await registry[Symbol.asyncDispose]();
    const [weights] = model.blobs;
    const path = blobFile(home.ollama, weights!.digest);
    const flipped = Buffer.from(weights!.content);
    flipped[flipped.length - 1]! ^= 1;
    await writeFile(path, flipped);

    const outcome = await aixcl(['models', 'verify', '--repair'], { home });
    expect(outcome.code).toBe(7);
    expect(await readFile(path)).toEqual(flipped);
  });

  engineTest('a GGUF file is mended from the address that it came from', async () => {
    await using home = await ollamaHome();
    const original = join(home.root, 'original.gguf');
    await writeSelfTestModel(original);
    const bytes = await readFile(original);
    await using server = await startTestServer(bytes);
    await home.ok('models', 'add', server.url.href);
    const path = join(home.models, 'model.gguf');
    expect(existsSync(path)).toBe(true);
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 1]! ^= 1;
    await writeFile(path, flipped);

    const found = await aixcl(['models', 'verify', 'model.gguf'], { home });
    expect(found.code).toBe(7);
    await home.ok('models', 'verify', 'model.gguf', '--repair');
    expect(await readFile(path)).toEqual(bytes);
  });
});
