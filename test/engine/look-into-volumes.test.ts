import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { looksLikeModels, readSeen, recordSeen } from '../../src/adapters/seen-volumes.ts';
import { resolveHome } from '../../src/home.ts';
import { labels } from '../../src/labels.ts';
import { llamaImage } from '../setup/engine-test.ts';
import { describeBothEngines, newName } from './both-engines.ts';

const { signal } = new AbortController();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-look-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describeBothEngines('looking into a volume', (given) => {
  const wish = (images = [llamaImage()]) => ({ home: resolveHome({ AIXCL_HOME: root }), images, signal });
  /** A volume with these folders in it; with `device`, a name for that folder. */
  const volume = async (folders: readonly string[], device?: string) => {
    const { port, api } = given();
    const name = newName();
    const options = device ? { type: 'none', o: 'bind', device } : {};
    await api.createVolume({ Name: name, DriverOpts: options });
    const found = (await port.inspectVolume(name))!;
    for (const folder of folders) await mkdir(join(device ?? found.mountpoint, folder), { recursive: true });
    return found;
  };

  test.each([
    [['models/manifests', 'models/blobs'], true],
    [['manifests', 'blobs'], true],
    [['.ollama/models/manifests', '.ollama/models/blobs'], true],
    [['models/manifests'], false],
    [['blobs'], false],
    [['manifests', 'models/blobs'], false],
    [[], false],
  ])('%j inside the engine: models are there is %s, and no container is left', async (folders, there) => {
    const { port } = given();
    expect(await looksLikeModels(port, await volume(folders), wish())).toBe(there);
    expect(await port.listContainers({ [labels.operation]: '' })).toEqual([]);
  });

  test('a name for a folder is looked into on the disk, without an image', async () => {
    const folder = await mkdtemp(join(root, 'store-'));
    const named = await volume(['models/manifests', 'models/blobs'], folder);
    expect(await looksLikeModels(given().port, named, wish([]))).toBe(true);
  });

  test('what can not be looked into is not known', async () => {
    expect(await looksLikeModels(given().port, await volume([]), wish(['absent:1']))).toBeUndefined();
    const gone = { ...(await volume([])), name: 'gone' };
    expect(await looksLikeModels(given().port, gone, wish())).toBeUndefined();
  });

  test('a folder that this user may not look into is left to a helper, and unknown without one', async () => {
    const folder = await mkdtemp(join(root, 'closed-'));
    const closed = await volume(['models/manifests', 'models/blobs'], folder);
    await chown(folder, 65_534, 65_534);
    await chmod(folder, 0o700);
    process.seteuid?.(65_533);
    try {
      expect(await looksLikeModels(given().port, closed, wish([]))).toBeUndefined();
    } finally {
      process.seteuid?.(0);
    }
  });
});

test('what was seen is on record by name; a record that is damaged knows of none', async () => {
  const home = resolveHome({ AIXCL_HOME: join(root, 'home') });
  expect(await readSeen(home)).toEqual(new Map());
  await recordSeen(home, 'a', true);
  await recordSeen(home, 'b', false);
  await recordSeen(home, 'a', false);
  const seen = await readSeen(home);
  expect([...seen].map(([name, { modelsSeen }]) => [name, modelsSeen])).toEqual([
    ['a', false],
    ['b', false],
  ]);
  expect(Date.parse(seen.get('a')?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
  await writeFile(join(home.root, 'volumes.json'), '{"a": {"modelsSeen": tr');
  expect(await readSeen(home)).toEqual(new Map());
  await recordSeen(home, 'c', true);
  expect([...(await readSeen(home)).keys()]).toEqual(['c']);
});
