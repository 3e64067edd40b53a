/** `stack clean` beside what is not ours, and with volumes that it saves first. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fillVolume, large, portrait } from '../../src/adapters/volumes/test-volume.ts';
import { tmpfs } from '../faults/lab/disks.ts';
import {
  type Aixcl,
  aixcl,
  currentTestEngine,
  describeEngine,
  docker,
  engineTest,
  llamaImage,
  makeHome,
  ollamaImage,
  type PrivateEngine,
  resetEngine,
  seedStore,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';
import { stepsOf } from './ollama-stack.ts';

interface CleanHome extends TestHome {
  readonly vault: string;
  run(...args: string[]): Promise<Aixcl>;
  /** Runs aixcl and expects exit code 0. */
  ok(...args: string[]): Promise<Aixcl>;
  /** Runs the engine's own client, and expects that it does it. */
  docker(...args: string[]): Promise<string>;
  /** All that is on the engine, by name, but images. */
  stand(): Promise<string[]>;
}

async function cleanHome(
  engine: PrivateEngine,
  env: Readonly<Record<string, string>> = {},
): Promise<CleanHome> {
  await resetEngine(engine);
  const home = await makeHome({ ollama: await ollamaImage(engine) });
  const run = (...args: string[]) => aixcl(args, { home, env: { DOCKER_HOST: engine.host, ...env } });
  const client = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(args, { engine });
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    return stdout.trim();
  };
  return {
    ...home,
    vault: join(home.root, 'vault'),
    run,
    async ok(...args) {
      const outcome = await run(...args);
      expect({ args, code: outcome.code, stderr: outcome.stderr }).toMatchObject({ args, code: 0 });
      return outcome;
    },
    docker: client,
    async stand() {
      const [containers, networks, volumes] = await Promise.all([
        client('ps', '--all', '--format', 'container {{.Names}}'),
        client('network', 'ls', '--format', 'network {{.Name}}'),
        client('volume', 'ls', '--format', 'volume {{.Name}}'),
      ]);
      const all = [containers, networks, volumes].flatMap((list) => list.split('\n'));
      return all.filter((line) => line !== '' && !/network (bridge|host|none)$/.test(line)).sort();
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

const foreign = [
  'container my_ollama',
  'container ollama-test',
  'container stopped_ollama',
  'network aixcl_test',
  'network my_aixcl_default',
  'volume my_ollama',
  'volume ollama-test',
];

/** What looks like ours and is not: by its name, by another project, running and stopped, with data in it. */
async function strangers(home: CleanHome): Promise<void> {
  const idle = ['--network', 'none', '--entrypoint', 'sleep', llamaImage(), '1000'];
  await home.docker('network', 'create', 'aixcl_test');
  await home.docker('network', 'create', '--label', 'com.docker.compose.project=other', 'my_aixcl_default');
  await home.docker('volume', 'create', 'ollama-test');
  await home.docker('volume', 'create', '--label', 'com.docker.compose.project=other', 'my_ollama');
  await home.docker('run', '--detach', '--name', 'my_ollama', '--volume', 'my_ollama:/root/.ollama', ...idle);
  await home.docker('create', '--name', 'stopped_ollama', '--volume', 'ollama-test:/x', ...idle);
  const project = ['--label', 'com.docker.compose.project=other'];
  await home.docker('run', '--detach', '--name', 'ollama-test', ...project, ...idle);
}

async function seedVolume(home: CleanHome, name: string, label: string, script: string): Promise<void> {
  const own = ['--label', `io.aixcl.home=${home.root}`, '--label', `io.aixcl.holds=${label}`];
  await home.docker('volume', 'create', ...own, name);
  const run = ['run', '--rm', '--network', 'none', '--volume', `${name}:/v`, '--entrypoint', 'sh'];
  await home.docker(...run, llamaImage(), '-c', `cd /v && ${script}`);
}

function mainCase(engineOf: () => Promise<PrivateEngine>) {
  return async () => {
    await using home = await cleanHome(await engineOf());
    await seedStore(home.ollama, 'tea');
    await home.ok('stack', 'start', 'ollama', 'llama-server');
    await strangers(home);
    await seedVolume(home, 'cache', 'disposable', 'echo x > file');
    await seedVolume(home, 'lying', 'disposable', 'mkdir -p models/manifests models/blobs');
    await seedVolume(home, 'kept', 'state', 'echo x > file');
    await seedVolume(home, 'odd', 'whatever', 'echo x > file');
    await home.docker('commit', '--change', 'LABEL io.aixcl.built=test', 'my_ollama');
    const dangling = [
      'images',
      '--quiet',
      '--filter',
      'dangling=true',
      '--filter',
      'label=io.aixcl.built=test',
    ];
    expect(await home.docker(...dangling)).not.toBe('');
    const before = await home.stand();
    const store = portrait(home.ollama);

    expect((await home.run('stack', 'clean')).code).toBe(3);
    const planned = await home.ok('stack', 'clean', '--dry-run', '--format', 'json');
    expect(stepsOf(planned)).toContain('remove-volume cache planned');
    expect(await home.stand()).toEqual(before);

    const done = await home.ok('stack', 'clean', '--yes', '--format', 'json');
    expect(done.json.at(-1)).toMatchObject({ type: 'result', command: 'stack clean', changed: true });
    const steps = stepsOf(done).filter((step) => !step.startsWith('remove-image'));
    expect(steps).toEqual([
      'hold-volumes kept, lying, odd done',
      'remove-container llama-server done',
      'remove-container ollama done',
      'remove-network aixcl_default done',
      'remove-volume cache done',
      'keep-volume kept kept',
      'keep-volume lying kept',
      'keep-volume odd kept',
      'keep-volume ollama kept',
    ]);
    expect(await home.stand()).toEqual(
      [
        ...foreign,
        'container aixcl-guard',
        ...['kept', 'lying', 'odd', 'ollama'].map((name) => `volume ${name}`),
      ].sort(),
    );
    expect(await home.docker(...dangling)).toBe('');
    expect(portrait(home.ollama)).toBe(store);
    const said = await home.ok('stack', 'clean', '--dry-run');
    expect(said.stdout).toMatch(/volume ollama \(.+ kB\): it holds models/);
    expect(said.stdout).toContain('volume odd (2 B): nobody knows what it holds');
    expect(said.stdout).not.toMatch(/my_ollama|ollama-test/);

    await home.ok('stack', 'start', 'ollama');
    const { json } = await home.ok('models', 'list', '--format', 'json');
    expect(json.map(({ name }) => name)).toEqual(['tea:latest']);

    const folder = portrait(home.ollama);
    const gone = await home.ok('stack', 'clean', '--volumes', 'ollama', '--confirm', 'ollama', '--yes');
    expect(gone.stdout).toContain('aixcl backups delete b0001 --confirm ollama');
    expect(await home.stand()).not.toContain('volume ollama');
    await home.ok('undo');
    expect(portrait(home.ollama)).toBe(folder);
  };
}

describeEngine('stack clean', () => {
  engineTest(
    'takes what is ours by label, keeps what holds anything, and leaves what only looks like ours',
    mainCase(async () => testEngine()),
  );

  engineTest('does so on a current engine', mainCase(currentTestEngine), 240_000);

  engineTest('what lies in a volume without a name is held before its container goes', async () => {
    await using home = await cleanHome(testEngine());
    const compose = join(home.root, 'own.yaml');
    await mkdir(home.root, { recursive: true });
    await writeFile(
      compose,
      `name: own
services:
  anon:
    image: ${llamaImage()}
    entrypoint: [sleep, '1000']
    init: true
    network_mode: none
    volumes: [/root/.ollama]
`,
    );
    const own = ['--file', compose, 'stack'];
    await home.ok(...own, 'start', '--no-wait');
    const name = await home.docker('inspect', '--format', '{{(index .Mounts 0).Name}}', 'own-anon-1');
    const done = await home.ok(...own, 'clean', '--yes', '--format', 'json');
    expect(stepsOf(done)).toEqual([
      `hold-volumes ${name} done`,
      'remove-container own-anon-1 done',
      `keep-volume ${name} kept`,
    ]);
    await home.docker('system', 'prune', '--all', '--force', '--volumes');
    expect(await home.stand()).toEqual(['container aixcl-guard', `volume ${name}`]);
    const { stdout } = await home.ok(...own, 'clean', '--dry-run');
    expect(stdout).toContain(`aixcl stack clean --volumes ${name}`);
  });

  engineTest('without the name given back nothing is changed: exit 3', async () => {
    await using home = await cleanHome(testEngine());
    await home.ok('stack', 'start', 'ollama');
    const before = [await home.stand(), portrait(home.ollama)];
    const wishes = [
      ['--volumes', 'ollama', '--yes'],
      ['--volumes', 'ollama', '--confirm', 'ollama'],
      ['--volumes', 'ollama', '--confirm', 'olama', '--yes'],
    ];
    for (const wish of wishes) {
      const { code, stderr } = await home.run('stack', 'clean', ...wish);
      expect({ wish, code }).toEqual({ wish, code: 3 });
      expect(stderr).toContain('nothing was changed');
    }
    expect((await home.run('stack', 'clean', '--volumes', 'olama', '--yes')).code).toBe(4);
    expect([await home.stand(), portrait(home.ollama)]).toEqual(before);
    expect(await home.docker('inspect', '--format', '{{.State.Running}}', 'ollama')).toBe('true');
    expect(existsSync(home.vault)).toBe(false);
  });

  engineTest('saves a volume by taking its files over, and brings all of it back bit for bit', async () => {
    await using home = await cleanHome(testEngine());
    await startAndKillOllama(home);
    await fillVolume(home.ollama);
    await seedStore(home.ollama, 'tea');
    await writeFile(join(home.ollama, 'id_ed25519'), 'secret', { mode: 0o600 });
    const before = portrait(home.ollama);
    const blob = join(home.ollama, 'models', 'blobs', `sha256-${'a'.repeat(64)}`);
    expect((await stat(blob)).size).toBe(large.length);
    const { ino } = await stat(blob);
    const wish = ['stack', 'clean', '--volumes', 'ollama', '--confirm', 'ollama', '--yes'];
    const { stderr, stdout } = await home.ok(...wish);
    expect(stderr).toContain(`id_ed25519 is not saved, and stays in ${home.ollama}`);
    expect(stdout).toContain('the volume ollama is gone; the vault holds all of it');
    expect(await readdir(home.ollama)).toEqual(['id_ed25519']);
    expect(await home.stand()).toEqual([]);
    const inodes = await Promise.all(
      (await readdir(join(home.vault, 'blobs', 'sha256'))).map(
        async (name) => (await stat(join(home.vault, 'blobs', 'sha256', name))).ino,
      ),
    );
    expect(inodes).toContain(ino);
    expect((await home.run(...wish)).code).toBe(4);
    await home.ok('backups', 'verify');
    await home.ok('backups', 'create');
    const cleanup = await home.ok(
      'backups',
      'cleanup',
      '--retention-days',
      '0',
      '--execute',
      '--format',
      'json',
    );
    expect(stepsOf(cleanup)).toEqual(['keep b0001 kept']);

    await home.ok('undo');
    expect(portrait(home.ollama)).toBe(before);
    expect((await home.run('undo')).code).toBe(4);
    await home.ok(...wish);
    const again = await home.ok('backups', 'restore', 'b0001', '--format', 'json');
    expect(stepsOf(again)).toEqual(['restore ollama done']);
    expect(portrait(home.ollama)).toBe(before);
    await home.ok('stack', 'start', 'ollama');
    expect((await home.run('backups', 'restore', 'b0001')).stderr).toContain(
      'the container ollama runs and uses the volume ollama',
    );
  });

  engineTest('takes a volume inside the engine from under its guard alone, and brings it back', async () => {
    await using home = await cleanHome(testEngine());
    const fill = `mkdir -p models/manifests models/blobs empty/deep; head -c 3000000 /dev/urandom > big; chown 1234:77 big; chmod 4640 big; ln -s /etc/passwd link; printf x > "two
lines"; chmod 3770 empty; chown -R 5:6 empty; touch -d '2020-02-02 02:02:02' big empty empty/deep`;
    await home.docker('volume', 'create', 'ollama');
    await home.docker(
      'run',
      '--rm',
      '--network',
      'none',
      '--volume',
      'ollama:/v',
      '--entrypoint',
      'sh',
      llamaImage(),
      '-c',
      `cd /v && ${fill}`,
    );
    await seedVolume(home, 'mine', 'state', fill);
    await home.ok('stack', 'start', 'ollama');
    const look = async (name: string) =>
      portrait(await home.docker('volume', 'inspect', '--format', '{{.Mountpoint}}', name));
    const before = { mine: await look('mine'), ollama: await look('ollama') };
    const clean = await home.ok(
      'stack',
      'clean',
      '--volumes',
      'ollama',
      'mine',
      '--confirm',
      'ollama',
      '--confirm',
      'mine',
      '--yes',
      '--format',
      'json',
    );
    expect(stepsOf(clean)).toContain('let-go aixcl-guard done');
    expect(await home.stand()).toEqual([]);
    expect(await readFile(join(home.root, 'compose.home.yaml'), 'utf8')).not.toContain('external');
    await home.ok('undo');
    expect(await look('mine')).toBe(before.mine);
    // The definition has it as a name for a folder of the home.
    expect(without(portrait(home.ollama))).toBe(without(before.ollama));
    await home.ok('stack', 'start', 'ollama');
  });

  engineTest('a volume that a foreign container uses stays, with all else: exit 3', async () => {
    await using home = await cleanHome(testEngine());
    await home.ok('stack', 'start', 'ollama');
    await home.docker('create', '--name', 'by-hand', '--volume', 'ollama:/x', llamaImage());
    const before = [await home.stand(), portrait(home.ollama)];
    const { code, stderr } = await home.run(
      'stack',
      'clean',
      '--volumes',
      'ollama',
      '--confirm',
      'ollama',
      '--yes',
    );
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('the container by-hand'),
    });
    expect([await home.stand(), portrait(home.ollama)]).toEqual(before);
  });

  engineTest(
    'with no room in the vault the volume is as it was: exit 8, and the containers stand',
    async () => {
      using disk = tmpfs(1_000_000);
      await using home = await cleanHome(testEngine(), { AIXCL_VAULT: join(disk.path, 'vault') });
      await mkdir(home.ollama, { recursive: true });
      await fillVolume(home.ollama);
      await home.ok('stack', 'start', 'ollama');
      await home.docker('kill', 'ollama');
      await home.docker('start', 'ollama');
      const before = portrait(home.ollama);
      const wish = ['stack', 'clean', '--volumes', 'ollama', '--confirm', 'ollama', '--yes'];
      const { code, stderr } = await home.run(...wish);
      expect({ code, stderr }).toMatchObject({
        code: 8,
        stderr: expect.stringContaining('ollama was stopped; nothing was removed'),
      });
      expect(portrait(home.ollama)).toBe(before);
      expect(await home.stand()).toContain('container ollama');
      disk.remount('size=20000000');
      await home.ok(...wish);
      await home.ok('undo');
      expect(portrait(home.ollama)).toBe(before);
    },
  );

  engineTest(
    'a backup of a volume goes where backups go: to another vault, into a file, into a folder',
    async () => {
      await using home = await cleanHome(testEngine());
      await startAndKillOllama(home);
      await fillVolume(home.ollama);
      const before = portrait(home.ollama);
      await home.ok('stack', 'clean', '--volumes', 'ollama', '--confirm', 'ollama', '--yes');
      const file = join(home.root, 'volume.tar');
      await home.ok('vault', 'export', file, 'ollama');
      await home.ok('vault', 'sync', join(home.root, 'second'), '--yes');
      await home.ok('backups', 'restore', 'b0001', '--to', join(home.root, 'files'));
      expect(await readFile(join(home.root, 'files', 'state.db'), 'utf8')).toBe('state');
      await home.ok('backups', 'delete', 'b0001', '--confirm', 'ollama');
      await home.ok('vault', 'import', file);
      const [found] = (await home.ok('backups', 'list', '--model', 'ollama', '--format', 'json')).json;
      await home.ok('backups', 'restore', String(found?.id));
      expect(portrait(home.ollama)).toBe(before);
    },
  );
});

/** Its container is there and stopped, and has no part in what comes; what it wrote until it was killed, more on a slow machine, is gone. */
async function startAndKillOllama(home: CleanHome): Promise<void> {
  await home.ok('stack', 'start', 'ollama', '--no-wait');
  await home.docker('kill', 'ollama');
  for (const name of await readdir(home.ollama)) await rm(join(home.ollama, name), { recursive: true });
}

/** Ollama makes its own key when it runs. */
function without(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/id_ed25519|^\.\|d/.test(line))
    .join('\n');
}
