import { expect, test } from 'vitest';
import type { Snapshot } from '../../vault/snapshot.ts';
import { draft, hashOf } from '../vault/test-vault.ts';
import { savedTree } from './saved-tree.ts';

const digest = hashOf(Buffer.from('x'));

function snapshot(paths: readonly string[], facts: Record<string, unknown>, folders: readonly string[] = []) {
  const files = paths.map((path) => ({ path, digest, size: 1 }));
  return { ...draft('ollama', { facts, folders }), id: 'b0001', files } as unknown as Snapshot;
}

test('folders come before what lies in them, also those that nothing tells of but a file', () => {
  const { folders, attributes } = savedTree(
    snapshot(['a/b/c'], {
      modes: [
        ['', '755'],
        ['d', '3770'],
      ],
      times: [['d', 5]],
      owners: [['d', 1, 2]],
    }),
  );
  expect(folders).toEqual(['', 'd', 'a', 'a/b']);
  expect([...attributes]).toEqual([['d', { mode: 0o3770, mtime: 5, owner: { uid: 1, gid: 2 } }]]);
});

test.each([
  ['a link that leads out by its name', [], { links: [{ path: '../x', target: 'y' }] }],
  ['a file behind a link', ['models/x'], { links: [{ path: 'models', target: '/etc' }] }],
  ['a file behind a file', ['a', 'a/b'], {}],
  ['a link of the name of a file', ['a'], { links: [{ path: 'a', target: '/etc' }] }],
  ['an empty folder behind a link', [], { links: [{ path: 'a', target: '/etc' }] }, ['a/b']],
  ['an owner below zero', ['a'], { owners: [['a', -1, 0]] }],
])('%s is refused before anything is written', (_, paths, facts, folders: readonly string[] = []) => {
  expect(() => savedTree(snapshot(paths, facts, folders))).toThrow("can't be used as a volume");
});
