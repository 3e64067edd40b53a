import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { all, describeBothEngines, newName, run, scriptOf, specOf, type UnderTest } from './both-engines.ts';

describeBothEngines('files of a container', (given) => {
  test('are looked at, whether it never ran, runs, or has ended', async () => {
    const { port } = given();
    const never = await port.createContainer(newName(), specOf());
    expect(await port.statPath(never, '/usr/bin')).toMatchObject({ kind: 'folder' });
    const made =
      'printf %s 12345 > /file; ln -s /file /link; mkfifo /pipe; touch -d 2020-05-06T07:08:09Z /file';
    const id = await run(given(), scriptOf(`${made}; sleep 1000`));
    await expect.poll(() => port.statPath(id, '/pipe')).toMatchObject({ kind: 'other' });
    for (const _ of ['running', 'stopped']) {
      await expect
        .poll(() => port.statPath(id, '/file'))
        .toMatchObject({
          kind: 'file',
          size: 5,
          modified: expect.stringMatching(/^2020-05-06T07:08:09/),
        });
      expect(await port.statPath(id, '/link')).toMatchObject({ kind: 'link' });
      await port.stopContainer(id, 0);
    }
  });

  test('that are not there are told from a container that is not there', async () => {
    const { port } = given();
    const id = await port.createContainer(newName(), specOf());
    expect(await port.statPath(id, '/not/there')).toBeUndefined();
    expect(await port.readArchive(id, '/not/there')).toBeUndefined();
    await expect(port.statPath('not-there', '/usr')).rejects.toMatchObject({ code: 'notFound' });
    await expect(port.readArchive('not-there', '/usr')).rejects.toMatchObject({ code: 'notFound' });
    const tar = Readable.from([await tarOf({ a: Buffer.from('a') })]);
    await expect(port.writeArchive('not-there', '/tmp', tar)).rejects.toMatchObject({ code: 'notFound' });
  });

  test('are written and read back, byte for byte, also on a volume under a read-only root', async () => {
    const { port } = given();
    const id = await port.createContainer(
      newName(),
      specOf({ mounts: [await volume(given())], readOnly: true }),
    );
    const files = { small: Buffer.from('größe'), large: randomBytes(5_000_000), empty: Buffer.alloc(0) };
    await port.writeArchive(id, '/data', Readable.from([await tarOf(files)]));
    const found = await untar((await port.readArchive(id, '/data'))!);
    for (const [name, content] of Object.entries(files)) {
      expect(found.get(`data/${name}`)?.equals(content), name).toBe(true);
    }
    const refused = port.writeArchive(id, '/etc', Readable.from([await tarOf(files)]));
    await expect(refused).rejects.toMatchObject({ code: 'unexpected' });
  });

  test('are written as far as their source goes: its failure is the call’s, and so is an abort', async () => {
    const { port } = given();
    const id = await run(given(), specOf({ mounts: [await volume(given())] }));
    const tar = await tarOf({ big: randomBytes(500_000) });
    const failure = new Error('the source broke off');
    async function* broken() {
      yield tar.subarray(0, 100_000);
      throw failure;
    }
    await expect(port.writeArchive(id, '/data', Readable.from(broken()))).rejects.toBe(failure);
    const stopped = new AbortController();
    async function* endless() {
      yield tar.subarray(0, 100_000);
      setTimeout(() => stopped.abort(new Error('stopped')), 100);
      await new Promise(() => {});
    }
    const writing = port.writeArchive(id, '/data', Readable.from(endless()), { signal: stopped.signal });
    await expect(writing).rejects.toThrow('stopped');
    // Nothing of ours holds the container.
    expect((await port.exec(id, ['true'])).exitCode).toBe(0);
    await port.stopContainer(id, 0);
  });

  test('may be left half read, and the container is free again', async () => {
    const { port } = given();
    const id = await run(given(), specOf());
    const stream = (await port.readArchive(id, '/usr'))!;
    for await (const _ of stream) break;
    expect(stream.destroyed).toBe(true);
    await port.stopContainer(id, 0);
    const stopped = new AbortController();
    const other = (await port.readArchive(id, '/usr', { signal: stopped.signal }))!;
    stopped.abort(new Error('stopped'));
    await expect(all(other as AsyncIterable<Buffer>)).rejects.toThrow('stopped');
    await port.removeContainer(id);
  });

  test('wait for their reader: what is not read is not kept in memory', async () => {
    const { port } = given();
    const big = 'dd if=/dev/zero of=/big bs=1M count=200 2>/dev/null; touch /done; sleep 1000';
    const id = await run(given(), scriptOf(big));
    await expect.poll(() => port.statPath(id, '/done'), { timeout: 30_000 }).toBeDefined();
    const before = process.memoryUsage().rss;
    const stream = (await port.readArchive(id, '/big'))!;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
    stream.destroy();
    await port.stopContainer(id, 0);
  });

  test('a container tells the variables that it was made with', async () => {
    const { port } = given();
    const environment = new Map([
      ['OLLAMA_MODELS', '/a=b'],
      ['EMPTY', ''],
    ]);
    const id = await port.createContainer(newName(), specOf({ environment }));
    const found = (await port.inspectContainer(id))!.environment;
    expect([found.get('OLLAMA_MODELS'), found.get('EMPTY')]).toEqual(['/a=b', '']);
  });
});

async function volume({ api }: UnderTest) {
  const name = newName();
  await api.createVolume({ Name: name });
  return { kind: 'volume', name, target: '/data', readOnly: false, noCopy: true } as const;
}

async function tarOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return Buffer.concat(await all(tar as unknown as AsyncIterable<Buffer>));
}

async function untar(stream: Readable): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const unpacked = extract();
  stream.pipe(unpacked);
  for await (const entry of unpacked) {
    found.set(entry.header.name, Buffer.concat(await all(entry as unknown as AsyncIterable<Buffer>)));
  }
  return found;
}
