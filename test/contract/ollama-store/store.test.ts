import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineStore, type StoreMount } from '../../../src/adapters/ollama/store/engine-store.ts';
import { folderHand } from '../../../src/adapters/ollama/store/test-store.ts';
import { labels } from '../../../src/labels.ts';
import type { OllamaStore } from '../../../src/models/ollama/store.ts';
import {
  all,
  describeBothEngines,
  describeOneEngine,
  newName,
  specOf,
  type UnderTest,
} from '../../engine/both-engines.ts';
import { llamaImage } from '../../setup/engine-test.ts';
import { digest, type StoreUnderTest, sourceOf, storeObligations } from './obligations.ts';

const signal = new AbortController().signal;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'aixcl-store-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describeBothEngines("Ollama's store inside the engine", (given) => {
  storeObligations(() => inVolume(given()));

  test('of a mistyped name is empty, can not be written, and does not come to be', async () => {
    const { port } = given();
    const store = engineStore(given(), { kind: 'volume', name: 'olama', below: 'models' });
    expect(await store.manifests()).toEqual([]);
    expect((await store.blobs([digest(Buffer.from('x'))])).size).toBe(0);
    await expect(store.write('test', signal)).rejects.toMatchObject({ code: 'notFound' });
    expect(await port.inspectVolume('olama')).toBeUndefined();
    expect(await helpers(given())).toEqual([]);
  });

  test('is read while its container runs, is stopped, or never ran, and when there is none', async () => {
    const { port, api } = given();
    const name = newName();
    await api.createVolume({ Name: name });
    const mounts = [
      { kind: 'volume', name, target: '/root/.ollama', readOnly: false, noCopy: true },
    ] as const;
    const id = await port.createContainer(newName(), specOf({ mounts }));
    const below = engineStore(given(), { kind: 'volume', name, below: 'models' });
    const blob = randomBytes(1000);
    const writer = await below.write('test', signal);
    await writer.putBlob(digest(blob), 1000, sourceOf(blob), { signal });
    await writer[Symbol.asyncDispose]();
    const sizes = async (store: OllamaStore) => [...(await store.blobs([digest(blob)])).values()];
    const held = [{ size: 1000, proven: false }];
    const by = (running: boolean) =>
      engineStore(
        given(),
        { kind: 'volume', name, below: 'models' },
        { id, running, models: '/root/.ollama/models' },
      );
    expect(await sizes(by(false))).toEqual(held);
    await port.startContainer(id);
    expect(await sizes(by(true))).toEqual(held);
    await port.stopContainer(id, 0);
    expect(await sizes(by(false))).toEqual(held);
    expect(await sizes(below)).toEqual(held);
    expect(await helpers(given())).toEqual([]);
  });
});

describeOneEngine("Ollama's store in a directory that a helper writes", (given) => {
  storeObligations(async () => {
    const models = await mkdtemp(join(scratch, 'models-'));
    const store = engineStore(given(), { kind: 'folder', path: models, below: '' });
    return { store, ...folderHand(models) };
  });
});

function engineStore(
  { port }: UnderTest,
  mount: StoreMount,
  container?: { readonly id: string; readonly running: boolean; readonly models: string },
): EngineStore {
  const place = mount.kind === 'volume' ? `volume ${mount.name}` : mount.path;
  return new EngineStore({
    engine: port,
    place,
    container,
    mount,
    home: scratch,
    images: ['not/here:1', llamaImage()],
    signal,
  });
}

/** A volume whose bytes only the engine reaches, with a container that has it as Ollama's would. */
async function inVolume(given: UnderTest): Promise<StoreUnderTest> {
  const { port, api } = given;
  const name = newName();
  await api.createVolume({ Name: name });
  const mounts = [{ kind: 'volume', name, target: '/root/.ollama', readOnly: false, noCopy: true }] as const;
  const id = await port.createContainer(newName(), specOf({ mounts }));
  await port.startContainer(id);
  const models = '/root/.ollama/models';
  const sh = async (script: string) => {
    const argv = ['sh', '-ec', `mkdir -p ${models}; cd ${models}; ${script}`];
    const { exitCode, output } = await port.exec(id, argv);
    expect(output, script).toEqual(exitCode === 0 ? output : '');
    return output;
  };
  return {
    store: engineStore(given, { kind: 'volume', name, below: 'models' }, { id, running: true, models }),
    async put(path, content) {
      await sh(`mkdir -p '${dirname(path)}'`);
      const tar = pack();
      tar.entry({ name: basename(path) }, content);
      tar.finalize();
      const packed = Buffer.concat(await all(tar as unknown as AsyncIterable<Buffer>));
      await api.getContainer(id).putArchive(packed, { path: join(models, dirname(path)) });
    },
    async read(path) {
      if ((await sh(`[ ! -f '${path}' ] || echo there`)) === '') return undefined;
      const unpacked = extract();
      (await api.getContainer(id).getArchive({ path: join(models, path) })).pipe(unpacked);
      for await (const entry of unpacked) return Buffer.concat(await all(entry as AsyncIterable<Buffer>));
      return undefined;
    },
    sh,
  };
}

async function helpers({ port }: UnderTest): Promise<string[]> {
  const found = await port.listContainers({ [labels.home]: scratch, [labels.operation]: '' });
  return found.map(({ name }) => name);
}
