import { expect, test } from 'vitest';
import { digestOf } from '../../vault/digest.ts';
import type { OllamaManifest } from './manifest.ts';
import { manifestPath, parseOllamaName } from './name.ts';
import { type ObservedPull, planPull, targetOf } from './plan-pull.ts';
import type { StoredManifest } from './store.ts';

const digest = (letter: string) => digestOf(letter.repeat(64));
const manifest = (letters: string): OllamaManifest => ({
  config: { mediaType: 'config', digest: digest('0'), size: 1 },
  layers: [...letters].map((letter) => ({ mediaType: 'layer', digest: digest(letter), size: 100 })),
});

function installed(name: string, letters: string | null): StoredManifest {
  const parsed = parseOllamaName(name);
  return {
    name: parsed,
    path: manifestPath(parsed),
    content: Buffer.of(),
    manifest: letters === null ? null : manifest(letters),
    problem: letters === null ? 'it is not whole JSON' : null,
    modified: new Date(0),
  };
}

interface Case {
  name?: string;
  /** Layers that the registry has; null: nobody answers. */
  remote: string | null;
  /** Layers of what is installed; null: its manifest can't be read. */
  here?: string | null;
  /** Blobs in the store, with sizes. */
  blobs?: Record<string, number>;
  unreadable?: string[];
  proven?: boolean;
}

function printed(...cases: Case[]): string {
  const orders = cases.map(
    ({ name = 'a', remote, here, blobs = {}, unreadable = [], proven = false }): ObservedPull => {
      const there = { '0': 1, ...blobs };
      return {
        name: parseOllamaName(name),
        remote:
          remote === null
            ? { kind: 'unreachable', why: 'refused' }
            : { kind: 'found', manifest: manifest(remote), content: Buffer.of(), insecure: false },
        insecure: false,
        installed: here === undefined ? undefined : installed(name, here),
        blobs: new Map(Object.entries(there).map(([letter, size]) => [digest(letter), { size, proven }])),
        unreadable,
      };
    },
  );
  const plan = planPull(orders);
  const lines = plan.steps.map((step) => {
    const cut = 'cut' in step && step.cut.length > 0 ? ` (cut: ${step.cut.map(({ size }) => size)})` : '';
    const hash = step.kind === 'keep' && !step.proven ? ' (to be hashed)' : '';
    return `${step.kind} ${targetOf(step)}: ${step.because}${cut}${hash}`;
  });
  return [...lines, `needed ${plan.needed}`].join('\n');
}

test('only what is missing is counted, and every blob once', () => {
  expect(printed({ name: 'a', remote: '12', blobs: { 1: 100 } }, { name: 'b:x', remote: '23' })).toBe(
    ['add a:latest: asked for', 'add b:x: asked for', 'needed 200'].join('\n'),
  );
});

test('what is as its registry has it is kept', () => {
  expect(printed({ remote: '12', here: '12', blobs: { 1: 100, 2: 100 } })).toBe(
    'keep a:latest: up to date (to be hashed)\nneeded 0',
  );
});

test('what differs is an update, and so is what nobody can compare', () => {
  expect(printed({ remote: '12', here: '1', blobs: { 1: 100 } })).toBe(
    'update a:latest: registry.ollama.ai has another version\nneeded 100',
  );
  expect(printed({ remote: null, here: '1', blobs: { 1: 100 } })).toMatch(
    /^update a:latest: registry.ollama.ai does not answer here \(refused\)/,
  );
  expect(printed({ remote: null })).toBe('add a:latest: asked for\nneeded 0');
});

test('a manifest that can not be read is an update, as what stands there must be kept', () => {
  expect(printed({ remote: '1', here: null, blobs: { 1: 100 } })).toBe(
    "update a:latest: its manifest can't be read: it is not whole JSON\nneeded 0",
  );
});

test('a blob of the wrong size is fetched anew, and told, as Ollama would take it for whole', () => {
  expect(printed({ remote: '12', here: '12', blobs: { 1: 100, 2: 0 } })).toBe(
    'add a:latest: 1 of its blobs are missing or cut (cut: 0)\nneeded 100',
  );
});

test('while another manifest can not be read, nothing is updated; new models come all the same', () => {
  const unreadable = ['b:latest'];
  expect(printed({ remote: '2', here: '1', unreadable })).toMatch(/^refuse a:latest: .* b:latest/);
  expect(printed({ remote: '2', unreadable })).toMatch(/^add a:latest/);
  expect(printed({ remote: '1', here: '1', unreadable, blobs: { 1: 100 } })).toMatch(/^keep a:latest/);
});
