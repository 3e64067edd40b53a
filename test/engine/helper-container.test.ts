import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reapHelpers } from '../../src/adapters/abandoned-helpers.ts';
import { HelperContainer } from '../../src/adapters/helper-container.ts';
import { HelperHands } from '../../src/adapters/helper-hands.ts';
import { labels } from '../../src/labels.ts';
import { llamaImage } from '../setup/engine-test.ts';
import { describeBothEngines, describeOneEngine, newName, run, specOf } from './both-engines.ts';

const { signal } = new AbortController();
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aixcl-helper-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

function wish(own: Partial<Parameters<typeof HelperContainer.start>[1]> = {}) {
  return { home, operation: 'op-1', images: [llamaImage()], mounts: [], signal, ...own };
}

describeBothEngines('a helper container', (given) => {
  const helpers = async () => given().port.listContainers({ [labels.home]: home, [labels.operation]: '' });

  test('carries its operation and home, has no network and no more rights than it needs, and goes', async () => {
    const { port, api } = given();
    const helper = await HelperContainer.start(port, wish());
    expect(await helpers()).toMatchObject([
      { labels: { [labels.operation]: 'op-1', [labels.home]: home }, state: 'running' },
    ]);
    const { HostConfig } = await api.getContainer(helper.id).inspect();
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      SecurityOpt: expect.arrayContaining(['no-new-privileges:true']),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'none' },
    });
    expect(await helper.run('printf "%s|" "$@"', ["it's", '$HOME', ''], signal)).toBe("it's|$HOME||");
    await expect(helper.run('echo why >&2; exit 3', [], signal)).rejects.toMatchObject({
      exitCode: 3,
      message: 'why',
    });
    await expect(helper.run('false; echo on', [], signal)).rejects.toMatchObject({ exitCode: 1 });
    const began = performance.now();
    await helper[Symbol.asyncDispose]();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await helpers()).toEqual([]);
  });

  test('never makes a volume: one that is not there is an error', async () => {
    const { port } = given();
    const mounts = [{ kind: 'volume', name: 'olama', target: '/store', readOnly: false }] as const;
    for (const make of [HelperContainer.create, HelperContainer.start]) {
      await expect(make(port, wish({ mounts }))).rejects.toMatchObject({ code: 'notFound' });
    }
    expect(await port.inspectVolume('olama')).toBeUndefined();
    expect(await helpers()).toEqual([]);
  });

  test('never makes a folder either', async () => {
    const path = join(home, 'not-there');
    const mounts = [{ kind: 'folder', path, target: '/store', readOnly: false }] as const;
    await expect(HelperContainer.start(given().port, wish({ mounts }))).rejects.toThrow();
    await expect(stat(path)).rejects.toThrow();
    expect(await helpers()).toEqual([]);
  });

  test('takes the first image that is here and has a shell, and says so where there is none', async () => {
    const { port } = given();
    const bare = `bare-${newName()}`;
    const { pack } = await import('tar-stream');
    const tar = pack();
    tar.entry({ name: 'readme' }, 'nothing to run');
    tar.finalize();
    await port.importImage(`${bare}:1`, tar as unknown as NodeJS.ReadableStream, []);
    const helper = await HelperContainer.start(
      port,
      wish({ images: ['not/here:1', `${bare}:1`, llamaImage()] }),
    );
    await helper[Symbol.asyncDispose]();
    for (const images of [[], ['not/here:1'], [`${bare}:1`]]) {
      await expect(HelperContainer.start(port, wish({ images }))).rejects.toMatchObject({ code: 'notFound' });
    }
    expect(await helpers()).toEqual([]);
  });

  test('can be a program of its own: with no rights beside its user, its log to be read, gone with its command', async () => {
    const { port, api } = given();
    const program = { argv: ['sh', '-c', 'echo loading; echo "$(id -u)"; sleep 60'], user: '65534:65534' };
    const helper = await HelperContainer.serve(port, wish(), program);
    expect(await helper.run('echo asked', [], signal, { user: '65534:65534' })).toBe('asked\n');
    const { HostConfig, Config } = await api.getContainer(helper.id).inspect();
    expect(HostConfig).toMatchObject({ NetworkMode: 'none', CapDrop: ['ALL'], ReadonlyRootfs: true });
    expect(HostConfig.CapAdd ?? []).toEqual([]);
    expect(Config.User).toBe('65534:65534');
    const lines: string[] = [];
    for await (const { text } of port.logs(helper.id, { tail: 5 })) lines.push(text);
    expect(lines).toEqual(['loading', '65534']);
    await helper[Symbol.asyncDispose]();
    expect(await helpers()).toEqual([]);
    await expect(
      HelperContainer.serve(port, wish({ images: ['not/here:1'] }), program),
    ).rejects.toMatchObject({
      code: 'notFound',
    });
    await expect(HelperContainer.serve(port, wish(), { argv: ['no-such-program'] })).rejects.toThrow();
    expect(await helpers()).toEqual([]);
  });

  test('goes when its work fails or is aborted', async () => {
    const { port } = given();
    const stopped = new AbortController();
    const work = async () => {
      await using helper = await HelperContainer.start(port, wish({ signal: stopped.signal }));
      setTimeout(() => stopped.abort(new Error('stopped')), 200);
      await helper.run('sleep 30', [], stopped.signal);
    };
    const began = performance.now();
    await expect(work()).rejects.toThrow('stopped');
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await helpers()).toEqual([]);
  });
});

describeOneEngine('the helpers that killed commands left', (given) => {
  test('are reaped; those of a living command, of another home, and what only looks like one stay', async () => {
    const { port } = given();
    const of = (root: string, operation: string) =>
      run(given(), specOf({ labels: { [labels.home]: root, [labels.operation]: operation } }));
    const left = await of(home, 'killed');
    const never = await port.createContainer(
      newName(),
      specOf({ labels: { [labels.home]: home, [labels.operation]: 'killed' } }),
    );
    const own = await of(home, 'own');
    const other = await of(`${home}-other`, 'killed');
    const service = await run(given(), specOf({ labels: { [labels.home]: home } }));
    await using living = await HelperContainer.start(port, wish({ operation: 'living' }));
    expect(await reapHelpers(port, home, 'own')).toHaveLength(2);
    for (const id of [left, never]) expect(await port.inspectContainer(id)).toBeUndefined();
    for (const id of [own, other, service, living.id]) expect(await port.inspectContainer(id)).toBeDefined();
    expect(await reapHelpers(port, home, 'own')).toEqual([]);
  });

  test('by force goes a helper of this home, and nothing else', async () => {
    const { port } = given();
    const service = await run(given(), specOf({ labels: { [labels.home]: home } }));
    const foreign = await run(
      given(),
      specOf({ labels: { [labels.home]: '/other', [labels.operation]: 'x' } }),
    );
    for (const id of [service, foreign]) {
      await expect(port.removeHelper(id, home)).rejects.toMatchObject({ code: 'refused' });
      expect(await port.inspectContainer(id)).toMatchObject({ state: 'running' });
    }
    await port.removeHelper('not-there', home);
  });
});

describeOneEngine('the hands of a helper', (given) => {
  const hands = (folders: readonly string[]) =>
    new HelperHands({ ...wish(), engine: given().port, folders: [...folders, join(home, 'ollama')] });

  test('link and copy files of another user, for the owner of the folder, and never over anything', async () => {
    const [ollama, vault] = [join(home, 'ollama'), join(home, 'vault')];
    await mkdir(ollama);
    await mkdir(vault);
    await (await import('node:fs/promises')).chown(vault, 1234, 1234);
    const from = join(ollama, "it's $HOME");
    await writeFile(from, 'bytes');
    await chmod(from, 0o600);
    const both = hands([home]);
    // At once, as the vault takes files in.
    expect(
      await Promise.all([both.link(from, join(vault, 'linked')), both.copy(from, join(vault, 'copied'))]),
    ).toEqual([true, undefined]);
    const [live, linked, copied] = await Promise.all(
      [from, join(vault, 'linked'), join(vault, 'copied')].map((path) => stat(path)),
    );
    expect(linked?.ino).toBe(live?.ino);
    expect(copied?.ino).not.toBe(live?.ino);
    expect([linked?.uid, copied?.uid]).toEqual([1234, 1234]);
    expect(await readFile(join(vault, 'copied'), 'utf8')).toBe('bytes');
    await Promise.all(
      [both.link(from, join(vault, 'linked')), both.copy(from, join(vault, 'copied'))].map((work) =>
        expect(work).rejects.toMatchObject({ code: 'refused' }),
      ),
    );
    await symlink(from, join(ollama, 'link'));
    await expect(both.link(join(ollama, 'link'), join(vault, 'x'))).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(both.copy(join(ollama, 'link'), join(vault, 'x'))).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(stat(join(vault, 'x'))).rejects.toThrow();
    expect(await given().port.listContainers({ [labels.home]: home, [labels.operation]: '' })).toEqual([]);
  });

  test('say that two places can not share a file, where they can not', async () => {
    const apart = await mkdtemp(join(tmpdir(), 'aixcl-apart-'));
    try {
      const from = join(home, 'ollama', 'apart');
      await writeFile(from, 'bytes');
      expect(await hands([apart]).link(from, join(apart, 'linked'))).toBe(false);
      await expect(stat(join(apart, 'linked'))).rejects.toThrow();
    } finally {
      await rm(apart, { recursive: true, force: true });
    }
  });
});
