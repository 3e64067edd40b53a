import { expect, test } from 'vitest';
import { describeBothEngines, newName, run, scriptOf, specOf } from './both-engines.ts';

describeBothEngines('a container', (given) => {
  test('is started, stopped and started again; each where it is so already is no error', async () => {
    const { port } = given();
    const id = await run(given(), specOf());
    await port.startContainer(id);
    await port.stopContainer(id);
    await port.stopContainer(id);
    expect(await port.inspectContainer(id)).toMatchObject({ state: 'exited' });
    await port.startContainer(id);
    expect(await port.inspectContainer(id)).toMatchObject({ state: 'running' });
  });

  test('that is paused runs after a start', async () => {
    const { port, api } = given();
    const id = await run(given(), specOf());
    await api.getContainer(id).pause();
    expect(await port.inspectContainer(id)).toMatchObject({ state: 'paused' });
    await port.startContainer(id);
    expect(await port.inspectContainer(id)).toMatchObject({ state: 'running' });
  });

  test('has the time that is given to end by itself, and is killed after it', async () => {
    const { port } = given();
    const stubborn = await run(
      given(),
      scriptOf("trap '' TERM; while :; do sleep 0.1; done", { init: false }),
    );
    const began = performance.now();
    await port.stopContainer(stubborn, 1);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await port.inspectContainer(stubborn)).toMatchObject({ exitCode: 137 });
    const polite = await run(
      given(),
      scriptOf("trap 'exit 7' INT; while :; do sleep 0.1; done", { init: false, stopSignal: 'SIGINT' }),
    );
    await expect.poll(async () => (await port.exec(polite, ['true'])).exitCode).toBe(0);
    await port.stopContainer(polite);
    expect(await port.inspectContainer(polite)).toMatchObject({ exitCode: 7 });
  });

  test('is restarted as a new process', async () => {
    const { port, api } = given();
    const id = await run(given(), specOf());
    const pid = async () => (await api.getContainer(id).inspect()).State.Pid;
    const before = await pid();
    await port.restartContainer(id, 1);
    expect(await pid()).not.toBe(before);
  });

  test('is renamed; a name that is taken is refused', async () => {
    const { port } = given();
    const [name, other] = [newName(), newName()];
    const id = await port.createContainer(newName(), specOf());
    await port.createContainer(other, specOf());
    await port.renameContainer(id, name);
    expect((await port.inspectContainer(id))?.name).toBe(name);
    await expect(port.renameContainer(id, other)).rejects.toThrow('already in use');
  });

  test('is removed only when it does not run, and never with its anonymous volumes', async () => {
    const { port } = given();
    const mounts = [{ kind: 'volume', target: '/data', readOnly: false, noCopy: false }] as const;
    const id = await run(given(), specOf({ mounts }));
    const volume = (await port.inspectContainer(id))?.mounts[0]?.name ?? '';
    await expect(port.removeContainer(id)).rejects.toMatchObject({ code: 'unexpected' });
    expect(await port.inspectContainer(id)).toMatchObject({ state: 'running' });
    await port.stopContainer(id);
    await port.removeContainer(id);
    expect(await port.inspectContainer(id)).toBeUndefined();
    expect(await port.inspectVolume(volume)).toMatchObject({ name: volume });
  });

  test('that is not there can not be changed, and the error says so', async () => {
    const { port } = given();
    const changes = [
      () => port.startContainer('not-there'),
      () => port.stopContainer('not-there'),
      () => port.renameContainer('not-there', 'x'),
      () => port.removeContainer('not-there'),
      () => port.setRestartPolicy('not-there', { name: 'no' }),
      () => port.exec('not-there', ['true']),
    ];
    for (const change of changes) {
      await expect(change()).rejects.toMatchObject({
        code: 'notFound',
        message: expect.stringMatching(/no such container/i),
      });
    }
  });
});

describeBothEngines('exec', (given) => {
  test('gives exit code and output, both streams together', async () => {
    const id = await run(given(), specOf());
    const result = await given().port.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 5']);
    expect(result.exitCode).toBe(5);
    expect(result.output.split('\n').sort()).toEqual(['', 'err', 'out']);
    expect(await given().port.exec(id, ['printf', '%s', 'größe $HOME'])).toEqual({
      exitCode: 0,
      output: 'größe $HOME',
    });
  });

  test('cuts output at 64 KiB and lets the program end', async () => {
    const id = await run(given(), specOf());
    const { exitCode, output } = await given().port.exec(id, [
      'sh',
      '-c',
      'head -c 300000 /dev/zero; exit 3',
    ]);
    expect(exitCode).toBe(3);
    expect(output).toHaveLength(65_536);
  });

  test('runs as the user that is named', async () => {
    const id = await run(given(), specOf());
    expect((await given().port.exec(id, ['id', '-u'], { user: '1234' })).output).toBe('1234\n');
  });

  test('says what a shell would of a program that is not there', async () => {
    const id = await run(given(), specOf());
    const ran = await given()
      .port.exec(id, ['no-such-program'])
      .then(
        ({ exitCode }) => exitCode,
        (error: { code: string }) => error.code,
      );
    expect([126, 127, 'unexpected']).toContain(ran);
  });

  test('ends at once when it is aborted', async () => {
    const id = await run(given(), specOf());
    const began = performance.now();
    const signal = AbortSignal.timeout(300);
    const ended = await given()
      .port.exec(id, ['sleep', '30'], { signal })
      .then(
        ({ exitCode }) => exitCode,
        () => 'aborted',
      );
    expect(ended).not.toBe(0);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test('in a container that does not run is an error', async () => {
    const id = await given().port.createContainer(newName(), specOf());
    await expect(given().port.exec(id, ['true'])).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('not running'),
    });
  });
});
