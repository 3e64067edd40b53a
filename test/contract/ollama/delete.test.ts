import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { blobsOf, parseManifest } from '../../../src/models/ollama/manifest.ts';
import { blobFile, engineTest, manifestFile, ollamaModel, seedStore } from '../../setup/engine-test.ts';
import { blobNames, describeOllama, filesOf } from './ollama.ts';

describeOllama('Ollama deletes', (run) => {
  engineTest('a model and the layers that were its alone; shared ones stay', async () => {
    await using ollama = await run({});
    await seedStore(ollama.directory, 'tea', { seed: 'tea' });
    const mug = await seedStore(ollama.directory, 'mug', { seed: 'mug' });
    await ollama.api.delete('tea');
    expect(await ollama.api.names()).toEqual(['mug:latest']);
    expect(await filesOf(ollama, 'manifests')).toEqual(['registry.ollama.ai/library/mug/latest']);
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(mug));
  });

  engineTest('the last model, and with it the folders of manifests', async () => {
    await using ollama = await run({});
    await seedStore(ollama.directory, 'someone/tea:v1');
    await ollama.api.delete('someone/tea:v1');
    expect(await filesOf(ollama, 'blobs')).toEqual([]);
    expect(existsSync(join(ollama.directory, 'models/manifests/registry.ollama.ai'))).toBe(false);
    expect(await ollama.api.names()).toEqual([]);
  });

  engineTest('by a name in any case', async () => {
    await using ollama = await run({});
    await seedStore(ollama.directory, 'Tea:V1');
    await ollama.api.delete('tEA:v1');
    expect(await filesOf(ollama, 'manifests')).toEqual([]);
  });

  engineTest('one of two tags of the same model: every blob stays', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea:v1');
    await seedStore(ollama.directory, 'tea:v2', tea);
    await ollama.api.delete('tea:v1');
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
    expect(await ollama.api.names()).toEqual(['tea:v2']);
  });

  engineTest('nothing that is not there', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    await expect(ollama.api.delete('mug')).rejects.toMatchObject({ code: 'notFound' });
    await expect(ollama.api.show('mug')).rejects.toMatchObject({ code: 'notFound' });
    await expect(ollama.api.copy('mug', 'cup')).rejects.toMatchObject({ code: 'notFound' });
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
  });

  engineTest('blobs that only an unreadable manifest names, whatever OLLAMA_NOPRUNE says', async () => {
    await using ollama = await run({ noPrune: true });
    const tea = await seedStore(ollama.directory, 'tea:v1');
    await seedStore(ollama.directory, 'tea:v2', tea);
    const file = manifestFile(ollama.directory, 'tea:v2');
    await writeFile(file, tea.manifest.subarray(0, 200));
    await ollama.api.delete('tea:v1');
    expect(await filesOf(ollama, 'blobs')).toEqual([]);
    expect(await readFile(file)).toEqual(tea.manifest.subarray(0, 200));
  });

  engineTest('no model whose manifest it can’t read', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    await writeFile(manifestFile(ollama.directory, 'tea'), tea.manifest.subarray(0, 200));
    await expect(ollama.api.delete('tea')).rejects.toMatchObject({ code: 'unexpected' });
    expect(await filesOf(ollama, 'blobs')).toEqual(blobNames(tea));
    expect(await filesOf(ollama, 'manifests')).toHaveLength(1);
  });

  engineTest('a model that lacks a blob', async () => {
    await using ollama = await run({});
    const tea = await seedStore(ollama.directory, 'tea');
    await rm(blobFile(ollama.directory, tea.blobs[0]!.digest));
    await ollama.api.delete('tea');
    expect(await filesOf(ollama, 'manifests')).toEqual([]);
    expect(await filesOf(ollama, 'blobs')).toEqual([]);
  });

  engineTest('tea:latest when it is told tea:local: why our calls refuse that tag', async () => {
    await using ollama = await run({});
    await seedStore(ollama.directory, 'tea:latest');
    await seedStore(ollama.directory, 'tea:local', { seed: 'local' });
    await ollama.raw('DELETE', '/api/delete', { model: 'tea:local' });
    expect(await filesOf(ollama, 'manifests')).toEqual(['registry.ollama.ai/library/tea/local']);
  });

  engineTest('by whatever manifests it reads, and it reads every one that we read', async () => {
    await using ollama = await run({});
    const tea = await ollamaModel();
    const whole = JSON.parse(tea.manifest.toString());
    const text = JSON.stringify(whole);
    /** `kept`: Ollama reads it, and keeps the blobs that it names. */
    const variants: Record<string, { kept: boolean; content: string }> = {
      plain: { kept: true, content: text },
      newline: { kept: true, content: `${text}\n` },
      indented: { kept: true, content: JSON.stringify(whole, null, 2) },
      extra: { kept: true, content: JSON.stringify({ ...whole, annotations: { a: 'b' } }) },
      noConfig: { kept: true, content: JSON.stringify({ ...whole, config: undefined }) },
      nullConfig: { kept: true, content: JSON.stringify({ ...whole, config: null }) },
      emptyConfig: {
        kept: true,
        content: JSON.stringify({ ...whole, config: { mediaType: '', digest: '', size: 0 } }),
      },
      followed: { kept: true, content: `${text}garbage` },
      dashes: { kept: false, content: text.replaceAll('sha256:', 'sha256-') },
      upperCase: {
        kept: false,
        content: text.replace(/(?<=sha256:)[0-9a-f]{64}/g, (hex) => hex.toUpperCase()),
      },
      float: { kept: false, content: text.replace(/"size":(\d+)/, '"size":$1.0') },
      exponent: { kept: false, content: text.replace(/"size":(\d+)/, '"size":$1e0') },
      textSize: { kept: false, content: text.replace(/"size":(\d+)/, '"size":"$1"') },
      textSchema: { kept: false, content: JSON.stringify({ ...whole, schemaVersion: '2' }) },
      floatSchema: { kept: false, content: JSON.stringify({ ...whole, schemaVersion: 2.5 }) },
      numberMedia: { kept: false, content: JSON.stringify({ ...whole, mediaType: 2 }) },
      numberFrom: {
        kept: false,
        content: JSON.stringify({
          ...whole,
          layers: whole.layers.map((layer: object) => ({ ...layer, from: 1 })),
        }),
      },
      marked: { kept: false, content: `\uFEFF${text}` },
      nothing: { kept: false, content: '{}' },
      list: { kept: false, content: '[]' },
      empty: { kept: false, content: '' },
    };
    const kept: string[] = [];
    const believed: string[] = [];
    for (const [tag, { content }] of Object.entries(variants)) {
      await seedStore(ollama.directory, 'victim', tea);
      const file = manifestFile(ollama.directory, `other:${tag}`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      await ollama.api.delete('victim');
      if (existsSync(blobFile(ollama.directory, tea.blobs[0]!.digest))) kept.push(tag);
      const parsed = parseManifest(content);
      if (typeof parsed !== 'string' && blobsOf(parsed).length > 0) believed.push(tag);
      await rm(file);
    }
    expect(kept).toEqual(Object.keys(variants).filter((tag) => variants[tag]!.kept));
    expect(kept).toEqual(expect.arrayContaining(believed));
    expect(believed).toContain('plain');
  });
});
