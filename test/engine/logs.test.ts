import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogLine, LogOptions } from '../../src/stack/engine.ts';
import { all, describeBothEngines, newName, run, scriptOf, type UnderTest } from './both-engines.ts';

async function printed(under: UnderTest, script: string, lines: number): Promise<string> {
  const id = await run(under, scriptOf(`${script}; sleep 1000`));
  await expect
    .poll(async () => (await all(under.port.logs(id, {}))).length, { timeout: 10_000 })
    .toBeGreaterThanOrEqual(lines);
  return id;
}

describeBothEngines('logs', (given) => {
  const read = async (id: string, options: LogOptions = {}) =>
    (await all(given().port.logs(id, options))).map(({ stream, text }) => `${stream} ${text}`);

  test('tell stdout from stderr, line by line, in their order', async () => {
    const id = await printed(
      given(),
      'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf "\\n three\\r\\n"',
      4,
    );
    expect(await read(id)).toEqual(['stdout one', 'stderr two', 'stdout ', 'stdout  three']);
  });

  test('are cut from the end by tail, 0 too', async () => {
    const id = await printed(given(), 'for i in 1 2 3 4 5; do echo $i; done', 5);
    expect(await read(id, { tail: 2 })).toEqual(['stdout 4', 'stdout 5']);
    expect(await read(id, { tail: 0 })).toEqual([]);
    expect(await read(id, { tail: 100 })).toHaveLength(5);
  });

  test('begin at since, a duration or a time', async () => {
    const id = await printed(given(), 'echo early; sleep 2; echo late', 2);
    await delay(300);
    expect(await read(id, { since: '1.5s' })).toEqual(['stdout late']);
    expect(await read(id, { since: '1h' })).toHaveLength(2);
    const [, second] = await read(id, { timestamps: true });
    const time = second?.split(' ')[1] ?? '';
    expect(Date.parse(time)).toBeGreaterThan(Date.now() - 60_000);
    expect(await read(id, { since: time.replace(/\.\d+Z$/, 'Z') })).toEqual(['stdout late']);
  });

  test('keep a half line, and show bytes that are no UTF-8 as such', async () => {
    const { port } = given();
    const id = await run(given(), scriptOf("printf 'a\\377b\\nhalf'"));
    await expect.poll(async () => (await port.inspectContainer(id))?.state).toBe('exited');
    expect(await read(id)).toEqual(['stdout a\uFFFDb', 'stdout half']);
  });

  test('hold lines longer than any buffer', async () => {
    const id = await printed(given(), 'head -c 70000 /dev/zero | tr "\\0" x; echo; echo after', 2);
    const [long, after] = await read(id);
    expect(long).toBe(`stdout ${'x'.repeat(70_000)}`);
    expect(after).toBe('stdout after');
  });

  test('of a container with a terminal are one stream', async () => {
    const { api } = given();
    const made = await api.createContainer({
      name: newName(),
      Image: scriptOf('').image,
      Tty: true,
      Entrypoint: ['sh', '-c'],
      Cmd: ['echo one; echo two >&2'],
      HostConfig: { NetworkMode: 'none' },
    });
    await made.start();
    await made.wait();
    expect(await read(made.id)).toEqual(['stdout one', 'stdout two']);
  });

  test('are followed as they come, and end quietly when that is aborted', async () => {
    const id = await run(given(), scriptOf('while :; do echo tick; sleep 0.1; done'));
    const abort = new AbortController();
    const seen: LogLine[] = [];
    for await (const line of given().port.logs(id, { follow: true, signal: abort.signal })) {
      seen.push(line);
      if (seen.length === 3) abort.abort();
    }
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  test('that are followed bear silence, and end when the container does', async () => {
    const id = await run(given(), scriptOf('echo one; sleep 2.5; echo two'));
    expect(await read(id, { follow: true })).toEqual(['stdout one', 'stdout two']);
  });

  test('of a container that is not there are an error, and so is a time that is none', async () => {
    await expect(read('not-there')).rejects.toMatchObject({ code: 'notFound' });
    const id = await run(given(), scriptOf('sleep 1000'));
    await expect(read(id, { since: 'yesterday' })).rejects.toMatchObject({ code: 'usage' });
  });
});
