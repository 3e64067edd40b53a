import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTree } from '../folders/tree.ts';
import { coveredTree } from './covered-tree.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-covered-'));
});
afterEach(() => rm(root, { recursive: true }));

async function covered(paths: readonly string[], store = false) {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), path);
  }
  const { saved, leftOut } = coveredTree(await readTree(root), store);
  return {
    saved: saved.files.map(({ path }) => path),
    empty: saved.emptyFolders,
    left: leftOut.map(({ path }) => path),
  };
}

const blob = `models/blobs/sha256-${'a'.repeat(64)}`;

test("an Ollama's key and downloads that did not end are in no backup; all else is", async () => {
  expect(
    await covered(['id_ed25519', 'id_ed25519.pub', 'history', blob, `${blob}-partial`, `${blob}-partial-12`]),
  ).toEqual({
    saved: ['history', blob],
    empty: [],
    left: ['id_ed25519', 'id_ed25519.pub', `${blob}-partial`, `${blob}-partial-12`],
  });
});

test('a key that stands beside no store is somebody else’s, and is saved', async () => {
  expect((await covered(['id_ed25519', 'other/file'])).saved).toEqual(['id_ed25519', 'other/file']);
});

test("a key alone is an Ollama's where the volume is", async () => {
  expect(await covered(['id_ed25519', 'deep/id_ed25519'], true)).toMatchObject({
    saved: ['deep/id_ed25519'],
    left: ['id_ed25519'],
  });
});

test('a folder that holds only what is left out comes back empty', async () => {
  expect((await covered([`${blob}-partial`, 'models/manifests/m'])).empty).toEqual(['models/blobs']);
});

test('what an interrupted restore left is nobody’s', async () => {
  expect(await covered(['.aixcl-restore-op/0', 'file'])).toEqual({ saved: ['file'], empty: [], left: [] });
});
