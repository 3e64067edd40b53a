import { randomUUID } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../vault/digest.ts';
import { fileSource } from '../gguf/byte-source.ts';
import { writeSelfTestModel } from '../self-test-model.ts';
import { briefFacts, fullFacts, layerType } from './facts.ts';
import type { OllamaManifest } from './manifest.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-facts-'));
});
afterEach(() => rm(folder, { recursive: true }));

const layers = ['config', 'model', 'template', 'license'] as const;
const digests = new Map<string, Digest>(
  layers.map((kind, index) => [kind, digestOf(String(index).repeat(64))]),
);
const layer = (kind: (typeof layers)[number]) => ({
  mediaType: layerType(kind),
  digest: digests.get(kind)!,
  size: 10,
});
const manifest: OllamaManifest = {
  config: layer('config'),
  layers: [layer('model'), layer('template'), layer('license')],
};

/** A store with these blobs, and a real GGUF as weights; counts what is looked at. */
async function storeWith(texts: Record<string, string>) {
  const weights = join(folder, `${randomUUID()}.gguf`);
  await writeSelfTestModel(weights);
  const looked: string[] = [];
  return {
    looked,
    async peek(digest: Digest) {
      const kind = layers.find((each) => digests.get(each) === digest)!;
      looked.push(kind);
      if (kind === 'model') {
        const handle = await open(weights);
        return { ...(await fileSource(handle)), [Symbol.asyncDispose]: () => handle.close() };
      }
      const bytes = Buffer.from(texts[kind] ?? '');
      return {
        size: bytes.length,
        read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

test('a list takes what the config says, and does not look at the weights then', async () => {
  const store = await storeWith({
    config: '{"model_family":"llama","model_type":"3.2B","file_type":"Q4_K_M"}',
  });
  expect(await briefFacts(store, manifest)).toEqual({
    architecture: 'llama',
    parameters: 3_200_000_000,
    quantization: 'Q4_K_M',
  });
  expect(store.looked).toEqual(['config']);
});

test('what the config does not say, the weights say', async () => {
  for (const config of ['', 'no json', '{}', '{"model_family":7,"file_type":"unknown"}']) {
    const facts = await briefFacts(await storeWith({ config }), manifest);
    expect(facts, config).toMatchObject({ architecture: 'llama', quantization: 'F32' });
    expect(facts.parameters).toBeGreaterThan(1000);
  }
});

test('everything about a model comes from its files, the exact count from its weights', async () => {
  const store = await storeWith({
    config: '{"model_family":"llama","model_type":"3.2B","file_type":"Q4_K_M"}',
    template: '{{ .Prompt }}',
    license: 'Apache-2.0',
  });
  const facts = await fullFacts(store, manifest);
  expect(facts).toMatchObject({ template: '{{ .Prompt }}', license: 'Apache-2.0', quantization: 'Q4_K_M' });
  expect(facts.parameters).not.toBe(3_200_000_000);
  expect(facts.contextLength).toBeGreaterThan(0);
});
