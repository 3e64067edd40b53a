import { expect, test } from 'vitest';
import { digestOf } from '../vault/digest.ts';
import type { OllamaManifest } from './ollama/manifest.ts';
import { parseOllamaName } from './ollama/name.ts';
import { addresses, askSources, type Origin, type SourcePorts } from './sources.ts';

const digest = (letter: string) => digestOf(letter.repeat(64));
const blob = (letter: string, size: number) => ({ digest: digest(letter), size });
const signal = new AbortController().signal;

/** Registries by name and addresses by what is there; counts what is asked. */
function world(registries: Record<string, Record<string, number>>, files: Record<string, number> = {}) {
  const asked: string[] = [];
  const ports: SourcePorts = {
    registry: {
      async look(name) {
        asked.push(`look ${name.host}`);
        const blobs = registries[name.host];
        if (!blobs) return { kind: 'unreachable', why: 'nobody answers' };
        const layers = Object.entries(blobs).map(([letter, size]) => ({
          mediaType: 'x',
          ...blob(letter, Math.abs(size)),
        }));
        const manifest: OllamaManifest = { config: null, layers };
        return { kind: 'found', manifest, content: Buffer.of(), insecure: false };
      },
      async blobSize(name, wanted) {
        asked.push(`blob ${name.host}`);
        const found = Object.entries(registries[name.host] ?? {}).find(([each]) => digest(each) === wanted);
        // A size below 0: named by the manifest, and not there.
        return found && found[1] >= 0 ? found[1] : null;
      },
    },
    async probe(url, aborted) {
      asked.push(`probe ${url.host}`);
      if (url.host === 'deaf') await new Promise(() => {});
      if (url.host === 'slow') {
        await new Promise((_, reject) => aborted.addEventListener('abort', reject, { once: true }));
      }
      const size = files[url.pathname];
      if (size === undefined) throw new Error('nothing there');
      return { size, sha256: null, version: null };
    },
  };
  return { ports, asked };
}

const of = (host: string, ...blobs: { digest: ReturnType<typeof digest>; size: number }[]): Origin => ({
  kind: 'registry',
  name: parseOllamaName(`${host}/library/x:y`),
  blobs,
});
const file = (address: string, size: number) => ({ source: address, size, sha256: null });

test('re-pullable is what answers for every blob with the right size, and nothing else', async () => {
  const { ports } = world({ r: { a: 10, b: 20 }, gone: { a: 10, b: -20 } });
  const origins = [
    of('r', blob('a', 10), blob('b', 20)),
    of('r', blob('a', 10)),
    of('r', blob('a', 11), blob('b', 20)),
    of('r', blob('a', 10), blob('c', 20)),
    of('gone', blob('a', 10), blob('b', 20)),
    { kind: 'nowhere' } as const,
  ];
  expect(await askSources(origins, ports, { deadline: 1000, signal })).toEqual([
    're-pullable',
    'unique',
    'unique',
    'unique',
    'unique',
    'unique',
  ]);
});

test('every file of a model must answer at its address', async () => {
  const { ports } = world({}, { '/a': 5, '/b': 6 });
  const origins = [
    addresses([file('https://h/a', 5), file('https://h/b', 6)]),
    addresses([file('https://h/a', 5), file('https://h/b', 7)]),
    addresses([file('https://h/a', 5), { source: null, size: 6, sha256: null }]),
    addresses([]),
  ];
  expect(await askSources(origins, ports, { deadline: 1000, signal })).toEqual([
    're-pullable',
    'unique',
    'unique',
    'unique',
  ]);
});

test('a host that failed is not asked for the rest', async () => {
  const { ports, asked } = world({});
  const origins = Array.from({ length: 50 }, () => of('down', blob('a', 1)));
  expect(new Set(await askSources(origins, ports, { deadline: 1000, signal }))).toEqual(new Set(['unique']));
  expect(asked.length).toBeLessThanOrEqual(8);
});

test('who does not answer in time is unique, and keeps nobody else waiting', async () => {
  const { ports } = world({ r: { a: 10 } });
  const before = performance.now();
  const origins = [
    addresses([file('https://slow/a', 5)]),
    addresses([file('https://deaf/a', 5)]),
    of('r', blob('a', 10)),
  ];
  const answers = await askSources(origins, ports, { deadline: 50, signal });
  expect(answers).toEqual(['unique', 'unique', 're-pullable']);
  expect(performance.now() - before).toBeLessThan(1000);
});

test('Ctrl-C is no answer', async () => {
  const { ports } = world({});
  const control = new AbortController();
  const reason = new Error('interrupted');
  const asking = askSources([addresses([file('https://slow/a', 5)])], ports, {
    deadline: 5000,
    signal: control.signal,
  });
  control.abort(reason);
  await expect(asking).rejects.toBe(reason);
});
