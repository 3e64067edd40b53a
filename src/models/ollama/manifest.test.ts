import { expect, test } from 'vitest';
import { blobsOf, type OllamaManifest, parseManifest } from './manifest.ts';

const a = `sha256:${'a'.repeat(64)}`;
const b = `sha256:${'b'.repeat(64)}`;
const model = 'application/vnd.ollama.image.model';
const config = { mediaType: 'application/vnd.docker.container.image.v1+json', digest: b, size: 2 };
const whole = {
  schemaVersion: 2,
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config,
  layers: [{ mediaType: model, digest: a, size: 1, from: '/some/path' }],
};

function read(value: unknown): OllamaManifest {
  const parsed = parseManifest(JSON.stringify(value));
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

test('a manifest names its layers and its config', () => {
  expect(read(whole)).toEqual({ config, layers: [{ mediaType: model, digest: a, size: 1 }] });
});

test.each([
  ['none', undefined],
  ['null', null],
  ['an empty one', { mediaType: '', digest: '', size: 0 }],
])('a model may have no config: %s', (_, none) => {
  expect(read({ ...whole, config: none }).config).toBeNull();
});

test('a model may have no layers', () => {
  expect(read({ ...whole, layers: null }).layers).toEqual([]);
});

test('a blob that stands in a manifest twice is one blob', () => {
  const twice = read({ ...whole, layers: [...whole.layers, ...whole.layers, { ...config, mediaType: 'x' }] });
  expect(blobsOf(twice).map(({ digest }) => digest)).toEqual([a, b]);
});

const text = JSON.stringify(whole);
test.each([
  ['nothing', ''],
  ['half a file', text.slice(0, 100)],
  ['zeros', '\0'.repeat(300)],
  ['something after its end', `${text}x`],
  ['a list', '[]'],
  ['an empty object', '{}'],
  ['a manifest of nothing', '{"schemaVersion":2,"config":{},"layers":null}'],
  ['a path for a digest', text.replace(a, '../../../etc/passwd')],
  ['a digest with a dash', text.replaceAll('sha256:', 'sha256-')],
  ['a digest in upper case', text.replace('a'.repeat(64), 'A'.repeat(64))],
  ['a digest of another kind', text.replace(a, `sha512:${'a'.repeat(128)}`)],
  ['a size below zero', text.replace('"size":1', '"size":-1')],
  ['a size in text', text.replace('"size":1', '"size":"1"')],
  ['a size with a point', text.replace('"size":1', '"size":1.0')],
  ['a size with an exponent', text.replace('"size":1', '"size":1e0')],
  ['a layer without size', text.replace(',"size":1', '')],
  ['another kind of schema version', text.replace('"schemaVersion":2', '"schemaVersion":"2"')],
])('%s is no manifest, and it says why', (_, content) => {
  expect(parseManifest(content)).toEqual(expect.any(String));
});
