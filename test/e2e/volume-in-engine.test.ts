/** A volume `ollama` that was there before: its bytes lie inside the engine, and stay there. */
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import {
  type Aixcl,
  aixcl,
  blobFile,
  compose,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  makeHome,
  manifestFile,
  type OllamaModel,
  ollamaImage,
  pushModel,
  resetEngine,
  runProcess,
  seedStore,
  startRegistry,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';
import { stepsOf } from './ollama-stack.ts';

describeEngine('a volume "ollama" that was there before', () => {
  engineTest('is used as it is; what is removed from it comes back bit for bit', async () => {
    await using home = await homeWithVolume();
    const started = await home.ok('stack', 'start', 'ollama');
    expect(started.stderr).toContain(
      'the volume ollama was there before and is kept as it is: its bytes lie inside the engine',
    );
    expect(existsSync(home.ollama)).toBe(false);
    expect(await modelsListed(home)).toEqual(['tea:latest']);
    expect((await docker(['exec', 'ollama', 'ollama', 'list'])).stdout).toContain('tea:latest');

    const removed = await home.ok('models', 'remove', 'tea', '--yes', '--format', 'json');
    expect(stepsOf(removed)).toEqual(['remove tea:latest done']);
    expect(await modelsListed(home)).toEqual([]);
    const back = await home.ok('undo', '--format', 'json');
    expect(stepsOf(back)).toEqual(['restore tea:latest done']);
    await expectWhole(home.tea);
    await home.ok('models', 'verify');
    await home.ok('backups', 'create');
    await home.ok('backups', 'verify');
    expect(existsSync(home.ollama)).toBe(false);
  });

  engineTest('takes what is added, keeps the version before an update, and is mended', async () => {
    await using registry = await startRegistry();
    await using home = await homeWithVolume();
    await home.ok('stack', 'start', 'ollama');
    const old = await pushModel(registry, 'milk', { seed: 'old' });
    const name = registry.name('milk');
    expect(stepsOf(await home.ok('models', 'add', name, '--format', 'json'))).toEqual([
      `add ${name}:latest done`,
    ]);
    await expectWhole(old, name);
    const next = await pushModel(registry, 'milk', { seed: 'new' });
    await home.ok('models', 'add', name, '--yes');
    await expectWhole(next, name);
    await home.ok('undo', '--yes');
    await expectWhole(old, name);

    await home.ok('backups', 'create');
    const weights = blobFile('/root/.ollama', old.blobs[0]!.digest);
    const zero = `size=$(stat -c %s ${weights}) && truncate -s 0 ${weights} && truncate -s "$size" ${weights}`;
    expect((await docker(['exec', 'ollama', 'sh', '-c', zero])).code).toBe(0);
    expect((await aixcl(['models', 'verify'], { home })).code).toBe(7);
    await home.ok('models', 'verify', '--repair');
    await expectWhole(old, name);
    await expectWhole(home.tea);
  });

  engineTest('is declared external for Compose, which then neither asks nor makes it anew', async () => {
    // Made by Compose from another definition: without the declaration it asks whether to recreate it.
    const madeByCompose = ['project=aixcl', 'volume=ollama', 'config-hash=of-another-definition'];
    await using home = await homeWithVolume(madeByCompose.map((label) => `com.docker.compose.${label}`));
    await home.ok('stack', 'start', 'ollama');
    const before = await volume();
    const up = await composeIn(home, 'up', '--detach', '--wait', 'ollama');
    expect(up.code, up.stderr).toBe(0);
    expect(`${up.stdout}${up.stderr}`).not.toMatch(/recreate \(data|already exists but|volume .*creat/i);
    expect(await volume()).toEqual(before);
    expect(await modelsListed(home)).toEqual(['tea:latest']);

    await composeIn(home, 'down', '--volumes', '--timeout', '1');
    expect(await volume()).toEqual(before);
    await home.ok('stack', 'start', 'ollama');
    expect(await modelsListed(home)).toEqual(['tea:latest']);
    const again = await home.ok('stack', 'start', 'ollama', '--format', 'json');
    expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
  });

  engineTest('is held by the guard, also while the stack is stopped; without it, status shouts', async () => {
    await using home = await homeWithVolume();
    expect(await volumeStatus(home)).toMatchObject({ name: 'ollama', holds: 'models', heldBy: null });
    expect((await home.ok('stack', 'status')).stdout).toContain('DANGER: the volume ollama (models)');
    await home.ok('stack', 'start', 'ollama');
    expect(await volumeStatus(home)).toMatchObject({ holds: 'models', heldBy: 'guard aixcl-guard' });
    await home.ok('stack', 'stop');
    expect(await volumeStatus(home)).toMatchObject({ heldBy: 'guard aixcl-guard' });
    await home.ok('stack', 'start', 'ollama');

    await docker(['rm', '--force', 'aixcl-guard']);
    expect(await volumeStatus(home)).toMatchObject({ heldBy: 'running container ollama' });
    expect((await home.ok('stack', 'status')).stdout).toContain('WARNING: the volume ollama (models)');
    await home.ok('stack', 'stop', 'ollama');
    expect(await volumeStatus(home)).toMatchObject({ heldBy: null });
    expect((await home.ok('stack', 'status')).stdout).toContain('DANGER: the volume ollama (models)');
  });

  engineTest('is held again by the next start, whatever became of the guard', async () => {
    await using home = await homeWithVolume();
    await home.ok('stack', 'start', 'ollama');
    for (const ended of [['kill'], ['stop', '--time', '1'], ['pause'], ['rm', '--force']]) {
      expect((await docker([...ended, 'aixcl-guard'])).code).toBe(0);
      const steps = stepsOf(await home.ok('stack', 'start', 'ollama', '--format', 'json'));
      expect(steps).toEqual(expect.arrayContaining(['hold-volumes ollama done', 'keep ollama kept']));
      expect(await volumeStatus(home)).toMatchObject({ heldBy: 'guard aixcl-guard' });
    }
    const again = await home.ok('stack', 'start', 'ollama', '--format', 'json');
    expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
  });

  engineTest('is held by a container that can do nothing, and that is no service', async () => {
    await using home = await homeWithVolume();
    await home.ok('stack', 'start', 'ollama');
    const { Config, HostConfig, Mounts } = await dockerApi().getContainer('aixcl-guard').inspect();
    expect(Config.Labels).toMatchObject({ 'io.aixcl.home': home.root, 'io.aixcl.guard': 'ollama' });
    expect(Object.keys(Config.Labels).join()).not.toContain('compose');
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      RestartPolicy: { Name: 'always' },
      Init: true,
    });
    expect(Mounts).toMatchObject([{ Name: 'ollama', Destination: '/held/ollama', RW: false }]);
    const { json } = await home.ok('stack', 'status', '--format', 'json');
    expect(
      json.flatMap(({ services }) =>
        (services as { container: string | null }[]).map((one) => one.container),
      ),
    ).not.toContain('aixcl-guard');
    expect((await composeIn(home, 'ps', '--all')).stdout).not.toContain('aixcl-guard');
  });

  engineTest('stays that of a container that was made by hand and is adopted', async () => {
    await using home = await homeWithVolume();
    await docker(['network', 'create', 'by-hand']);
    const port = `127.0.0.1:${home.ports.ollama}:11434`;
    const byHand = ['--name', 'ollama', '--network', 'by-hand', '--publish', port];
    const run = ['run', '--detach', ...byHand, '--volume', 'ollama:/root/.ollama', home.image];
    expect((await docker(run)).code).toBe(0);
    await home.ok('stack', 'start', 'ollama', '--adopt');
    expect(await modelsListed(home)).toEqual(['tea:latest']);
    const { Mounts } = await dockerApi().getContainer('ollama').inspect();
    expect(Mounts.find(({ Destination }) => Destination === '/root/.ollama')?.Name).toBe('ollama');
    expect(await volumeStatus(home)).toMatchObject({ holds: 'models', heldBy: 'guard aixcl-guard' });
    await home.ok('models', 'verify', 'tea');
  });

  engineTest(
    'beside models in the folder of the home is not chosen: exit 3, and nothing is changed',
    async () => {
      await using home = await homeWithVolume();
      await seedStore(home.ollama, 'milk');
      const refused = await aixcl(['stack', 'start', 'ollama'], { home });
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(`${home.ollama}, which it should be a name for, holds files too`);
      expect(existsSync(join(home.root, 'compose.home.yaml'))).toBe(false);
      expect((await docker(['ps', '--all', '--quiet'])).stdout).toBe('');
    },
  );

  engineTest('is only shown by a dry run', async () => {
    await using home = await homeWithVolume();
    const dry = await home.ok('stack', 'start', 'ollama', '--dry-run');
    expect(dry.stderr).toContain('the volume ollama was there before');
    expect(existsSync(join(home.root, 'compose.home.yaml'))).toBe(false);
  });

  engineTest(
    'an override that declares it external is refused as Compose does, with what works',
    async () => {
      await using home = await homeWithVolume();
      const override = join(home.root, 'compose.override.yaml');
      await writeFile(override, 'volumes: {ollama: {external: true, name: ollama}}\n');
      const refused = await aixcl(['stack', 'start', 'ollama'], { home });
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`${override}:1:`);
      const [, works = ''] = /"(ollama: !override \{.*\})"/.exec(refused.stderr) ?? [];
      await writeFile(override, `volumes:\n  ${works}\n`);
      await home.ok('stack', 'start', 'ollama');
      expect(await modelsListed(home)).toEqual(['tea:latest']);
    },
  );

  engineTest('is read and written without any right to where the engine keeps it', async () => {
    await using home = await homeWithVolume();
    // Else a start as root gives it, and the journal with it, to an owner of its own.
    await mkdir(home.models);
    await home.ok('stack', 'start', 'ollama');
    const { mountpoint } = await volume();
    await chown(mountpoint, nobody, nobody);
    await chmod(mountpoint, 0o700);
    expect((await powerless(home, 'ls', mountpoint)).code).not.toBe(0);
    const commands = [
      ['models', 'list'],
      ['models', 'remove', 'tea', '--yes'],
      ['undo'],
      ['models', 'verify'],
      ['backups', 'create', '--verify'],
    ];
    for (const args of commands) {
      const { code, stderr } = await powerless(home, process.execPath, program, ...args);
      expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    }
    await expectWhole(home.tea);
  });
});

interface VolumeHome extends TestHome {
  readonly image: string;
  /** The model that the volume holds from the beginning. */
  readonly tea: OllamaModel;
  /** Runs aixcl and expects exit code 0. */
  ok(...args: string[]): Promise<Aixcl>;
}

/** A home that is new, on an engine with nothing but a volume `ollama` with a model in it. */
async function homeWithVolume(labels: readonly string[] = []): Promise<VolumeHome> {
  await resetEngine();
  const image = await ollamaImage();
  const create = ['volume', 'create', ...labels.flatMap((label) => ['--label', label]), 'ollama'];
  expect((await docker(create)).code).toBe(0);
  const seed = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
  const tea = await seedStore(seed, 'tea');
  const mounted = ['--name', 'seed', '--network', 'none', '--volume', 'ollama:/root/.ollama', image];
  expect((await docker(['create', ...mounted])).code).toBe(0);
  expect((await docker(['cp', `${seed}/.`, 'seed:/root/.ollama'])).code).toBe(0);
  await docker(['rm', 'seed']);
  await rm(seed, { recursive: true });
  const home = await makeHome({ ollama: image });
  const ok = async (...args: string[]): Promise<Aixcl> => {
    const outcome = await aixcl(args, { home });
    if (outcome.code === 0) return outcome;
    throw new Error(`aixcl ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}`);
  };
  return { ...home, image, tea, ok, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

async function modelsListed(home: VolumeHome): Promise<unknown[]> {
  return (await home.ok('models', 'list', '--format', 'json')).json.map(({ name }) => name);
}

/** Manifest and blobs in the volume, as Ollama's container sees them. */
async function expectWhole({ manifest, blobs }: OllamaModel, name = 'tea'): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
  try {
    expect((await docker(['cp', 'ollama:/root/.ollama/.', copy])).code).toBe(0);
    expect(await readFile(manifestFile(copy, name))).toEqual(manifest);
    for (const { digest, content } of blobs) {
      expect((await readFile(blobFile(copy, digest))).equals(content), digest).toBe(true);
    }
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** What the engine says of the volume that does not change while it is the same one. */
async function volume(): Promise<{ created: string | undefined; mountpoint: string; labels: object }> {
  const found = await dockerApi().getVolume('ollama').inspect();
  const { CreatedAt: created } = found as { CreatedAt?: string };
  return { created, mountpoint: found.Mountpoint, labels: found.Labels };
}

async function volumeStatus(home: VolumeHome): Promise<unknown> {
  const { json } = await home.ok('stack', 'status', '--format', 'json');
  const volumes = json.flatMap((status) => status.volumes as { name: string }[]);
  return volumes.find(({ name }) => name === 'ollama');
}

/** Plain `docker compose` in the home, with the images and ports of this test. */
function composeIn({ root, env }: VolumeHome, ...args: string[]) {
  return compose(args, { cwd: root, env });
}

const nobody = 65_534;
const program = fileURLToPath(new URL('../../bin/aixcl.js', import.meta.url));

/** As root whom no capability lets into what belongs to others. */
function powerless({ root, env }: VolumeHome, ...command: string[]) {
  return runProcess('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--', ...command], {
    env: { PATH: process.env.PATH, HOME: root, DOCKER_HOST: testEngine().host, ...env },
  });
}
