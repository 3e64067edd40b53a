import { expect, test } from 'vitest';
import { digestOf } from '../../vault/digest.ts';
import { assertRoomFor, bytesToCopy, key, type ObservedStores, planBringOver } from './bring-over-plan.ts';
import { keptModels } from './kept.ts';
import type { OllamaManifest } from './manifest.ts';
import { manifestPath, parseOllamaName, shownName } from './name.ts';
import type { StoredManifest } from './store.ts';

const digest = (letter: string) => digestOf(letter.repeat(64));

/** Models as `name: layers`; each layer has 100 bytes. Layers null: the manifest can't be used. */
type Models = Readonly<Record<string, string | null>>;

function stored(models: Models): StoredManifest[] {
  return Object.entries(models).map(([text, letters]): StoredManifest => {
    const name = parseOllamaName(text);
    const layers = [...(letters ?? '')].map((letter) => ({
      mediaType: 'layer',
      digest: digest(letter),
      size: 100,
    }));
    const manifest: OllamaManifest | null = letters === null ? null : { config: null, layers };
    return {
      name,
      path: manifestPath(name),
      content: Buffer.from(letters ?? 'torn'),
      manifest,
      problem: manifest ? null : 'it is not whole JSON',
      modified: new Date(0),
    };
  });
}

/** Blobs as `letters`; in capitals, one that was cut. */
function blobs(letters: string) {
  return new Map(
    [...letters].map((letter) => [
      digest(letter.toLowerCase()),
      { size: letter === letter.toLowerCase() ? 100 : 50, proven: false },
    ]),
  );
}

function observed(theirs: Models, ours: Models, there: string, inTheirs?: string): ObservedStores {
  const all = Object.values(theirs).join('').replaceAll('null', '');
  return {
    theirs: keptModels(stored(theirs), blobs(inTheirs ?? all)),
    ours: stored(ours),
    there: blobs(there),
  };
}

function printed(seen: ObservedStores, ...brought: string[]): string {
  const steps = planBringOver(seen, new Set(brought.map((name) => key(parseOllamaName(name)))));
  const lines = steps.map((step) => {
    const copied =
      step.kind === 'bring' ? ` [${step.copied.map((layer) => layer.digest.at(-1)).join('')}]` : '';
    return `${step.kind} ${shownName(step.model.stored.name)}${copied}: ${step.because}`;
  });
  return [...lines, `${bytesToCopy(steps)} bytes`].join('\n');
}

test('what is not here comes; a blob that two models share, or that is here, is copied once, or not at all', () => {
  expect(printed(observed({ tea: 'abc', milk: 'bcd' }, {}, 'd'))).toBe(
    ['bring tea:latest [abc]: it is not here', 'bring milk:latest []: it is not here', '300 bytes'].join(
      '\n',
    ),
  );
});

test('the same model is kept as it is', () => {
  expect(printed(observed({ tea: 'ab' }, { tea: 'ab' }, 'ab'))).toBe(
    'keep tea:latest: the same is here already\n0 bytes',
  );
});

test('the same model of which blobs are missing or cut here is made whole', () => {
  expect(printed(observed({ tea: 'abc' }, { tea: 'abc' }, 'aB'))).toBe(
    'bring tea:latest [bc]: it is not whole here\n200 bytes',
  );
});

test('another model of this name, in whatever spelling, is never written over', () => {
  const text = printed(observed({ tea: 'ab', 'x/Milk:1': 'c' }, { TEA: 'ac', 'x/milk:1': null }, ''));
  expect(text).toMatch(/^leave tea:latest: another TEA:latest \([0-9a-f]{12}\) is here$/m);
  expect(text).toMatch(/^leave x\/Milk:1: another x\/milk:1 /m);
  expect(text).toMatch(/^0 bytes$/m);
});

test('what this run brought itself goes along with what became of it over there, also where nothing has to be copied', () => {
  const seen = observed({ tea: 'ab', milk: 'ab', juice: 'a' }, { tea: 'a', milk: 'ab', JUICE: 'b' }, 'ab');
  expect(printed(seen, 'tea', 'Juice')).toBe(
    [
      'bring tea:latest []: it changed since it was copied',
      'keep milk:latest: the same is here already',
      'bring juice:latest []: it changed since it was copied',
      '0 bytes',
    ].join('\n'),
  );
});

test('of two models whose names differ in case alone one comes', () => {
  expect(printed(observed({ tea: 'a', TEA: 'b' }, {}, ''))).toMatch(
    /^bring tea:latest \[a\]: it is not here\nleave TEA:latest: another /,
  );
});

test('a model that is seen to be damaged stays where it is, and the others come', () => {
  expect(printed(observed({ tea: 'ab', milk: null, juice: 'ac', cola: 'd' }, {}, '', 'aBd'))).toBe(
    [
      `leave tea:latest: it is damaged: blobs/sha256-${'b'.repeat(64)} has 50 of 100 bytes`,
      "leave milk:latest: it is damaged: its manifest can't be used: it is not whole JSON",
      `leave juice:latest: it is damaged: blobs/sha256-${'c'.repeat(64)} is missing`,
      'bring cola:latest [d]: it is not here',
      '100 bytes',
    ].join('\n'),
  );
});

test('what does not fit is refused before a byte is copied; a disk that nobody can measure is tried', () => {
  const steps = planBringOver(observed({ tea: 'abc' }, {}, 'a'));
  const place = '/models';
  expect(() => assertRoomFor(steps, { place, space: { free: 199 } })).toThrow(
    expect.objectContaining({ code: 'noSpace', message: expect.stringContaining('200 B are needed') }),
  );
  assertRoomFor(steps, { place, space: { free: 200 } });
  assertRoomFor(steps, { place, space: null });
});
