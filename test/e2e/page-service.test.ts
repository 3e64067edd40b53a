/** The page's service as the stack runs it: what it may, what it may not, and where homes lie. */
import { lstat, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import {
  type Aixcl,
  aixcl,
  compose,
  currentTestEngine,
  describeEngine,
  docker,
  engineTest,
  makeHome,
  ollamaImage,
  type PrivateEngine,
  pageImage,
  resetEngine,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';
import { containers, ok } from './llama-stack.ts';

const page = 'upload-ui';

/** The default install on an empty engine, of which only images are named that can't be had here. */
async function install(engine: PrivateEngine, under?: string): Promise<TestHome> {
  await resetEngine(engine);
  return makeHome({ ollama: await ollamaImage(engine), page: 'pinned', ...(under && { under }) });
}

/** On a busy machine `stack status` gives up asking before a service has answered; then the engine's own check says it. */
async function allHealthy(status: () => Promise<string>): Promise<void> {
  await vi.waitFor(async () => expect(await status()).toContain('Services: 3/3 healthy'), {
    timeout: 30_000,
    interval: 500,
  });
}

/** Runs a command in the page's container, as its user. */
async function inside(engine: PrivateEngine, ...command: string[]) {
  return docker(['exec', page, ...command], { engine });
}

for (const [name, engineOf] of [
  ['20.10', async () => testEngine()],
  ['a current engine', currentTestEngine],
] as const) {
  describeEngine(`the page's service on ${name}`, () => {
    engineTest('comes up with a default install, and may nothing that it does not need', async () => {
      const engine = await engineOf();
      await using home = await install(engine);
      const run = async (...args: string[]): Promise<Aixcl> => {
        const outcome = await aixcl(args, { home, env: { DOCKER_HOST: engine.host } });
        expect({ args, code: outcome.code, said: outcome.stderr }).toMatchObject({ args, code: 0 });
        return outcome;
      };
      await run('stack', 'start');
      await allHealthy(
        async () => (await aixcl(['stack', 'status'], { home, env: { DOCKER_HOST: engine.host } })).stdout,
      );

      // llama-server waits for a model: nobody listens, and the machine says so.
      const reach = `Promise.all(['ollama:11434/api/version', 'llama-server:8080/health'].map((at) => fetch('http://' + at).then(
        ({ status }) => status, ({ cause }) => cause.code))).then((all) => console.log(all.join()))`;
      expect((await inside(engine, 'node', '-e', reach)).stdout).toBe('200,ECONNREFUSED\n');

      const { Config, HostConfig, Mounts } = await engine.api.getContainer(page).inspect();
      const { uid } = await stat(home.models);
      expect(uid).not.toBe(0);
      expect(Config.User).toBe(`${uid}:${uid}`);
      expect(HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Privileged: false,
        SecurityOpt: ['no-new-privileges:true'],
        PortBindings: { '8081/tcp': [{ HostIp: '127.0.0.1', HostPort: String(home.ports.page) }] },
      });
      expect(HostConfig.CapAdd ?? []).toEqual([]);
      const mounted = Mounts.filter(({ Destination }) => !Destination.startsWith('/unused/'));
      expect(mounted.map(({ Source, Destination }) => [Source, Destination])).toEqual([
        [home.root, home.root],
      ]);
      expect(JSON.stringify({ Mounts, Config })).not.toContain('docker.sock');
      const status = (await inside(engine, 'cat', '/proc/1/status')).stdout;
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status).toMatch(new RegExp(`^${set}:\\s0{16}$`, 'm'));
      expect(status).toMatch(/^NoNewPrivs:\s1$/m);
      expect(status).toMatch(new RegExp(`^Uid:\\s${uid}\\s`, 'm'));
      for (const place of ['/app', '/etc', '/root', home.root, join(home.root, 'ollama')])
        expect((await inside(engine, 'touch', join(place, 'new'))).code, place).not.toBe(0);
      expect((await inside(engine, 'touch', join(home.root, '.env'))).code).not.toBe(0);
    });
  });
}

describeEngine("the page's user", () => {
  engineTest('moves bytes between models and vault by link, and writes where the page has to', async () => {
    const engine = testEngine();
    await using home = await install(engine);
    const stranger = join(home.root, 'notes');
    await writeFile(stranger, 'mine', { mode: 0o644 });
    await ok(home, 'stack', 'start', page);
    const model = join(home.models, 'a.gguf');
    const vault = join(home.root, 'vault');
    const script = `echo x > ${model} && ln ${model} ${vault}/linked && cd ${home.root} &&
      touch vault/new journal/new page/new models/.aixcl-new && rm models/.aixcl-new`;
    const done = await inside(engine, 'sh', '-c', script);
    expect(done.code, done.stderr).toBe(0);
    const [one, two] = [await stat(model), await stat(join(vault, 'linked'))];
    expect([one.ino, one.nlink]).toEqual([two.ino, 2]);
    // Nobody could reach it while the home was closed, as `mkdtemp` makes it.
    expect((await stat(stranger)).mode & 0o777).toBe(0o640);
    expect((await stat(home.root)).mode & 0o777).toBe(0o701);
  });

  engineTest(
    'deletes a model by moving its bytes into the vault: the file there is the very one',
    async () => {
      await using home = await install(testEngine());
      for (const name of ['a.gguf', 'b.gguf']) {
        await writeSelfTestModel(join(home.root, name), `I am ${name}.`);
        await ok(home, 'models', 'add', join(home.root, name));
      }
      await ok(home, 'stack', 'start', 'llama-server', page);
      const { ino } = await stat(join(home.models, 'b.gguf'));
      const { url } = (await ok(home, 'ui', '--format', 'json')).json[0] as { url: string };
      const entered = await fetch(url, { redirect: 'manual' });
      const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
      const { origin } = new URL(url);
      const asked = await fetch(`${origin}/api/models/b.gguf`, {
        method: 'DELETE',
        headers: { cookie, origin },
      });
      expect(asked.status).toBe(202);
      const { id } = (await asked.json()) as { id: string };
      const job = async () =>
        (await (await fetch(`${origin}/api/jobs/${id}`, { headers: { cookie } })).json()) as {
          outcome: string;
        };
      await vi.waitUntil(async () => (await job()).outcome !== 'running', { timeout: 20_000, interval: 100 });
      expect(await job()).toMatchObject({ outcome: 'done', backup: 'b0001' });
      const blobs = join(home.root, 'vault', 'blobs', 'sha256');
      const kept = await Promise.all((await readdir(blobs)).map((name) => stat(join(blobs, name))));
      expect(kept.map((blob) => blob.ino)).toContain(ino);
      expect((await ok(home, 'models', 'list')).stdout).not.toContain('b.gguf');
      await ok(home, 'undo', '--yes');
      expect((await ok(home, 'models', 'list')).stdout).toContain('b.gguf');
    },
  );

  engineTest(
    'has what root wrote in vault, journal and models, also in the home of an earlier version',
    async () => {
      await using home = await install(testEngine());
      const source = join(home.root, 'b.gguf');
      await writeSelfTestModel(source, 'I am B.');
      await ok(home, 'models', 'add', source);
      await ok(home, 'backups', 'create');
      await ok(home, 'models', 'remove', 'b.gguf', '--yes');
      await ok(home, 'undo', '--yes');
      expect(await rootsOwn(home)).toEqual(['.reserve']);
      const { uid } = await stat(home.models);
      await rm(home.models, { recursive: true });
      await ok(home, 'backups', 'restore', 'b0001', '--yes');
      expect((await stat(home.models)).uid).toBe(uid);

      await mkdir(join(home.models, '.aixcl', 'old'));
      await mkdir(join(home.root, 'vault', 'old'));
      await mkdir(join(home.root, 'outside'));
      await symlink('../../outside', join(home.models, '.aixcl', 'link'));
      await ok(home, 'stack', 'start', page);
      expect(await rootsOwn(home)).toEqual([]);
      expect((await stat(join(home.root, 'outside'))).uid).toBe(0);
    },
  );

  engineTest('is root only where the models are, and no folder of the user is given away', async () => {
    await using home = await install(testEngine());
    await mkdir(home.models);
    await ok(home, 'stack', 'start', page);
    expect((await testEngine().api.getContainer(page).inspect()).Config.User).toBe('0:0');
    expect((await stat(home.models)).uid).toBe(0);
  });
});

/** Names right in the folders that the page writes into, which are root's. */
async function rootsOwn(home: TestHome): Promise<string[]> {
  const folders = ['vault', 'vault/blobs/sha256', 'journal', 'models/.aixcl', 'models/.aixcl/digests'];
  const found: string[] = [];
  for (const folder of folders.map((each) => join(home.root, each))) {
    if ((await stat(folder)).uid === 0) found.push(folder);
    for (const name of await readdir(folder)) {
      if ((await lstat(join(folder, name))).uid === 0) found.push(name);
    }
  }
  return found;
}

describeEngine('the page finds its folders', () => {
  const folders = ['vault', 'models', 'journal'];
  const seen = async (places: readonly string[]) => {
    const { code, stderr } = await inside(
      testEngine(),
      'sh',
      '-ec',
      places.map((one) => `touch '${one}/new'`).join('\n'),
    );
    expect(code, stderr).toBe(0);
  };

  engineTest('in a home below /root', async () => {
    await using home = await install(testEngine(), '/root');
    await ok(home, 'stack', 'start', page);
    await seen(folders.map((one) => join(home.root, one)));
  });

  engineTest('in a home with blanks in its name', async () => {
    await using home = await install(testEngine());
    const root = join(home.root, 'a home of mine');
    const spaced = { ...home, root, models: join(root, 'models'), env: { ...home.env, AIXCL_HOME: root } };
    await ok(spaced, 'stack', 'start', page);
    await seen(folders.map((one) => join(root, one)));
  });

  engineTest('where models and vault lie elsewhere, by a variable or by a link in the home', async () => {
    await using home = await install(testEngine());
    const disk = join(home.root, 'disk');
    await mkdir(join(disk, 'models'), { recursive: true });
    const env = { AIXCL_MODELS_DIR: join(disk, 'models'), AIXCL_VAULT: join(disk, 'vault') };
    const root = join(home.root, 'home');
    await ok({ ...home, root, env: { ...home.env, ...env, AIXCL_HOME: root } }, 'stack', 'start', page);
    await seen([env.AIXCL_MODELS_DIR, env.AIXCL_VAULT, join(root, 'journal')]);
  });

  engineTest('where models and vault are links out of the home', async () => {
    await using home = await install(testEngine());
    const root = join(home.root, 'home');
    const disk = join(home.root, 'disk');
    await mkdir(join(disk, 'models'), { recursive: true });
    await mkdir(join(disk, 'vault'));
    await mkdir(root);
    for (const one of ['models', 'vault']) await symlink(join(disk, one), join(root, one));
    await ok({ ...home, root, env: { ...home.env, AIXCL_HOME: root } }, 'stack', 'start', page);
    await seen(folders.map((one) => join(root, one)));
  });

  engineTest('also by plain docker compose, which builds it and brings it up', async () => {
    const engine = testEngine();
    await using home = await install(engine);
    await ok(home, 'stack', 'start', page);
    const plain = (...args: string[]) => compose(args, { cwd: home.root, env: home.env });
    await plain('down');
    await docker(['rmi', await pinned()]);
    const up = await plain('up', '--detach', '--wait', page);
    expect(up.code, up.stderr).toBe(0);
    await seen(folders.map((one) => join(home.root, one)));
    await ok(home, 'stack', 'start', page);
  });
});

/** Reference in the shipped definition. */
async function pinned(): Promise<string> {
  const { Config } = await testEngine()
    .api.getContainer(page)
    .inspect()
    .catch(async () => {
      const images = await testEngine().api.listImages();
      const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
      return { Config: { Image: tags.find((tag) => tag.startsWith('aixcl/upload-ui:')) ?? '' } };
    });
  return Config.Image;
}

describeEngine("the page's image", () => {
  engineTest('is built again when a prune took it, and when what it is built from changed', async () => {
    const engine = testEngine();
    await using home = await install(engine);
    await ok(home, 'stack', 'start', page);
    const built = async () => (await engine.api.getContainer(page).inspect()).Image;
    const first = await built();
    await docker(['rm', '--force', page]);
    await docker(['rmi', await pinned()]);
    await ok(home, 'stack', 'start', page, '--pull', 'never');
    expect(await containers()).toEqual([`${page} running`]);

    const again = await ok(home, 'stack', 'start', page, '--format', 'json');
    expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
    const other = { ...home, env: { ...home.env, NODE_IMAGE: await pageImage() } };
    await ok(other, 'stack', 'start', page, '--pull', 'always');
    expect(await built()).not.toBe(first);
  });

  engineTest(
    'that can not be had leaves the rest up, and the variable that names another base is told',
    async () => {
      await using home = await install(testEngine());
      const env = { ...home.env, NODE_IMAGE: 'localhost:1/node:22' };
      const { code, stderr } = await aixcl(['stack', 'start'], { home: { ...home, env } });
      expect(code).toBe(5);
      expect(stderr).toContain('Bring localhost:1/node:22 by docker load');
      expect(stderr).toContain('NODE_IMAGE=… aixcl stack start');
      expect(await containers()).toEqual(['llama-server running', 'ollama running']);
      await ok(home, 'service', 'start', page);
      await allHealthy(async () => (await ok(home, 'stack', 'status')).stdout);
    },
  );

  engineTest(
    'goes with stack clean like every container of the stack; what the page kept stays',
    async () => {
      await using home = await install(testEngine());
      await ok(home, 'stack', 'start');
      await ok(home, 'stack', 'clean', '--yes');
      expect(await containers()).toEqual([]);
      expect((await stat(join(home.root, 'page'))).isDirectory()).toBe(true);
      await ok(home, 'stack', 'start');
    },
  );
});
