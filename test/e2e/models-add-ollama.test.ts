import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import {
  aixcl,
  blobFile,
  engineTest,
  manifestFile,
  pushModel,
  spawnAixcl,
  startRegistry,
} from '../setup/engine-test.ts';
import { describeWithOllama, stepsOf } from './ollama-stack.ts';

describeWithOllama('models add, of a name for Ollama', (ollamaHome) => {
  engineTest('pulls it, re-hashes it, and both runtimes list it; the same again is kept', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const model = await pushModel(registry, 'tea');
    const name = registry.name('tea');

    const added = await home.ok('models', 'add', name, '--format', 'json');
    expect(stepsOf(added)).toEqual([`add ${name}:latest done`]);
    expect(await readFile(manifestFile(home.ollama, name))).toEqual(model.manifest);
    const [row] = (await home.ok('models', 'list', '--format', 'json')).json;
    expect(row).toMatchObject({
      type: 'model',
      name: `${name}:latest`,
      runtime: 'ollama',
      digest: `sha256:${model.digest}`,
      quantization: 'F32',
      parameters: 63_000,
      source: 're-pullable',
      damaged: false,
      lastBackup: null,
    });
    expect(stepsOf(await home.ok('models', 'add', name, '--format', 'json'))).toEqual([
      `keep ${name}:latest kept`,
    ]);
  });

  engineTest('asks before it updates one that is installed, and keeps the one before', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const old = await pushModel(registry, 'tea', { seed: 'old' });
    const name = registry.name('tea');
    await home.ok('models', 'add', name);
    const next = await pushModel(registry, 'tea', { seed: 'new' });

    const refused = await aixcl(['models', 'add', name], { home });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('another version');
    expect(await readFile(manifestFile(home.ollama, name))).toEqual(old.manifest);
    expect(existsSync(join(home.root, 'vault', 'index.json'))).toBe(false);

    const updated = await home.ok('models', 'add', name, '--yes', '--format', 'json');
    expect(stepsOf(updated)).toEqual([`update ${name}:latest done`]);
    expect(await readFile(manifestFile(home.ollama, name))).toEqual(next.manifest);
    for (const { digest, content } of old.blobs) {
      expect(await readFile(vaultBlob(home.root, digest))).toEqual(content);
    }
    expect(await readFile(vaultBlob(home.root, `sha256:${old.digest}`))).toEqual(old.manifest);
    const [row] = (await home.ok('models', 'list', '--format', 'json')).json;
    expect(row?.lastBackup).not.toBeNull();
  });

  engineTest('sets a damaged blob aside that Ollama takes for whole, and pulls it once more', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const model = await pushModel(registry, 'tea');
    const [zeroed, cut] = model.blobs;
    await mkdir(dirname(blobFile(home.ollama, zeroed!.digest)), { recursive: true });
    await writeFile(blobFile(home.ollama, zeroed!.digest), Buffer.alloc(zeroed!.content.length));
    await writeFile(blobFile(home.ollama, cut!.digest), '');

    await home.ok('models', 'add', registry.name('tea'));
    for (const { digest, content } of model.blobs) {
      expect(await readFile(blobFile(home.ollama, digest))).toEqual(content);
    }
    expect((await readdir(join(home.root, 'vault', 'quarantine'))).length).toBeGreaterThanOrEqual(2);
  });

  engineTest('mends a manifest that is cut, and updates nothing else while it is', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const tea = await pushModel(registry, 'tea', { seed: 'tea' });
    const old = await pushModel(registry, 'coffee', { seed: 'old' });
    const [teaName, coffeeName] = [registry.name('tea'), registry.name('coffee')];
    await home.ok('models', 'add', teaName, coffeeName);
    await pushModel(registry, 'coffee', { seed: 'new' });
    await truncate(manifestFile(home.ollama, teaName), 25);

    const other = await aixcl(['models', 'add', coffeeName, '--yes'], { home });
    expect(other.code).toBe(3);
    expect(other.stderr).toContain(teaName);
    expect(await readFile(manifestFile(home.ollama, coffeeName))).toEqual(old.manifest);

    await home.ok('models', 'add', teaName, '--yes');
    expect(await readFile(manifestFile(home.ollama, teaName))).toEqual(tea.manifest);
    await home.ok('models', 'add', coffeeName, '--yes');
    await home.ok('models', 'verify');
  });

  engineTest('of one that its registry does not have is exit 4, beside others that come', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    await pushModel(registry, 'tea');
    const none = await aixcl(['models', 'add', registry.name('none')], { home });
    expect(none.code).toBe(4);
    const names = [registry.name('none'), registry.name('tea')];
    const both = await aixcl(['models', 'add', ...names, '--format', 'json'], { home });
    expect(both.code).toBe(5);
    expect(stepsOf(both)).toEqual([`add ${names[0]} failed`, `add ${names[1]}:latest done`]);
  });

  engineTest('with Ollama stopped is exit 12; nothing is asked and nothing changed', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    await pushModel(registry, 'tea');
    await home.ok('stack', 'stop');
    const outcome = await aixcl(['models', 'add', registry.name('tea')], { home });
    expect(outcome.code).toBe(12);
    expect(outcome.stderr).toContain('aixcl service start ollama');
  });

  engineTest('is ended by Ctrl-C, and goes on with the next run', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const model = await pushModel(registry, 'tea', { noise: 8e6 });
    const name = registry.name('tea');
    registry.pace = 1e6;
    const { child, outcome } = spawnAixcl(['models', 'add', name, '--progress', 'json'], { home });
    await until(() => registry.requests.some((line) => /^GET .*\/blobs\//.test(line)));
    child.kill('SIGINT');
    expect((await outcome).code).toBe(130);
    expect(existsSync(manifestFile(home.ollama, name))).toBe(false);

    registry.pace = undefined;
    await home.ok('models', 'add', name);
    const weights = await readFile(blobFile(home.ollama, model.blobs[0]!.digest));
    expect(`sha256:${createHash('sha256').update(weights).digest('hex')}`).toBe(model.blobs[0]!.digest);
  });
});

function vaultBlob(root: string, digest: string): string {
  return join(root, 'vault', 'blobs', ...digest.split(':'));
}

async function until(seen: () => boolean): Promise<void> {
  for (let tries = 0; !seen(); tries++) {
    if (tries > 300) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
