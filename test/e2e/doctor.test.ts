/** `aixcl doctor` on a real engine: what it finds, what --fix mends, and that a healthy stack takes it no time. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type Aixcl,
  aixcl,
  blobFile,
  describeEngine,
  docker,
  engineTest,
  llamaImage,
  makeHome,
  manifestFile,
  ollamaImage,
  resetEngine,
  seedStore,
  type TestHome,
} from '../setup/engine-test.ts';
import { type SmallStack, shell, smallStack } from './small-stack.ts';

/** Milliseconds; the best of three. A machine that does nothing else takes some 300. */
const longestMs = 3000;

describeEngine('doctor', () => {
  engineTest('on a healthy stack ends with 0, in no time, and finds nothing that matters', async () => {
    await using home = await healthyHome();
    const took: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const began = performance.now();
      const { code, stdout, stderr } = await aixcl(['doctor'], { home });
      took.push(performance.now() - began);
      expect(code, `${stdout}${stderr}`).toBe(0);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('2 findings: 0 dangers, 0 problems, 2 notes');
    }
    expect(Math.min(...took)).toBeLessThan(longestMs);
    const listed = await findings(home);
    expect(listed.filter(({ level }) => level !== 'note')).toEqual([]);
    // 20.10, on one disk.
    expect(listed.map(({ check }) => check)).toEqual(['engine-prunes-named', 'vault-on-models-disk']);
  });

  engineTest(
    'tells of models in a volume of another name; the command that it gives brings them over',
    async () => {
      await using home = await healthyHome();
      await fillVolume('services_ollama', 'milk');
      const [danger, ...rest] = (await findings(home, 9)).filter(({ level }) => level === 'danger');
      expect(danger).toMatchObject({
        check: 'volume-with-models',
        what: expect.stringMatching(
          /^the volume services_ollama holds 1 model \(\d+ kB\) that this home does not have$/,
        ),
        command: 'aixcl doctor --move services_ollama',
      });
      expect(rest).toMatchObject([{ check: 'engine-prunes-named' }]);

      const [, ...move] = danger!.command!.split(' ');
      const moved = await aixcl([...move, '--yes'], { home });
      expect(moved.code, moved.stderr).toBe(0);
      const names = (await aixcl(['models', 'list', '--offline', '--format', 'json'], { home })).json;
      expect(names.map(({ name }) => name)).toEqual(['milk:latest', 'tea:latest']);
      const after = await findings(home, 0);
      expect(after).toContainEqual(
        expect.objectContaining({
          check: 'volume-brought-over',
          command: 'docker volume rm services_ollama',
        }),
      );
    },
  );

  engineTest(
    'knows such a volume by what is in it, whatever its name; an empty one is no finding',
    async () => {
      await using home = await healthyHome();
      await fillVolume('stuff', 'milk');
      await docker(['volume', 'create', 'my_ollama']);
      const found = await findings(home, 9);
      expect(found.filter(({ check }) => check === 'volume-with-models').map(({ what }) => what)).toEqual([
        expect.stringContaining('the volume stuff holds 1 model'),
      ]);
    },
  );

  engineTest('a volume that nothing holds is a danger until --fix holds it', async () => {
    await using stack = await unheldVolume();
    expect(await findings(stack, 9)).toContainEqual(
      expect.objectContaining({ check: 'volume-unheld', level: 'danger', fixable: true }),
    );
    const dry = await aixcl([...stack.args, 'doctor', '--fix', '--dry-run'], { home: stack });
    expect(dry.code).toBe(9);
    expect(dry.stdout).toContain('would hold volume small_data');
    expect((await docker(['ps', '--all', '--quiet'])).stdout).toBe('');

    const fixed = await aixcl([...stack.args, 'doctor', '--fix'], { home: stack });
    expect(fixed.code, fixed.stdout).toBe(0);
    expect(fixed.stdout).toContain('held the volume small_data: nothing holds it');
    expect((await findings(stack, 0)).map(({ check }) => check)).not.toContain('volume-unheld');
    await docker(['system', 'prune', '--all', '--force', '--volumes']);
    expect((await docker(['volume', 'inspect', 'small_data'])).code).toBe(0);
    const { stdout } = await aixcl(['journal'], { home: stack });
    expect(stdout).toMatch(/doctor --fix small_data .*done/);
  });

  engineTest('a guard that was stopped is started again by --fix', async () => {
    await using stack = await unheldVolume();
    await aixcl([...stack.args, 'doctor', '--fix'], { home: stack });
    await docker(['stop', '--time', '0', 'aixcl-guard']);
    expect((await findings(stack, 9)).map(({ check }) => check)).toContain('volume-unheld');
    expect((await aixcl([...stack.args, 'doctor', '--fix'], { home: stack })).code).toBe(0);
    const { stdout } = await docker(['ps', '--format', '{{.Names}}']);
    expect(stdout.trim()).toBe('aixcl-guard');
  });

  engineTest('finds what does not fit together in the store, by names and sizes', async () => {
    await using home = await healthyHome();
    const milk = await seedStore(home.ollama, 'milk', { seed: 'milk' });
    await seedStore(home.ollama, 'coffee', { seed: 'coffee' });
    await truncate(manifestFile(home.ollama, 'coffee'), 0);
    await rm(blobFile(home.ollama, milk.blobs[0]!.digest));
    const blobs = join(home.ollama, 'models', 'blobs');
    await writeFile(join(blobs, `sha256-${'a'.repeat(64)}-partial`), 'half');
    const found = new Map((await findings(home, 9)).map((finding) => [finding.check, finding.what]));
    expect(found.get('manifest-unreadable')).toContain('coffee:latest (it is empty)');
    expect(found.get('blob-missing')).toMatch(/milk:latest \(blobs\/sha256-[0-9a-f]{64} is missing\)/);
    expect(found.get('blob-orphaned')).toMatch(/^\d blobs? in /);
    expect(found.get('download-partial')).toContain('1 file of unfinished downloads');
  });

  engineTest('what killed commands left is gone after --fix, and a lost name is back', async () => {
    await using home = await healthyHome();
    const ingest = join(home.root, 'vault', 'ingest', 'killed');
    await mkdir(ingest);
    await writeFile(join(ingest, '1'), 'half');
    const ours = ['--label', `io.aixcl.home=${home.root}`, '--label', 'io.aixcl.operation=killed'];
    await docker(['create', '--name', 'aixcl-helper-0', '--network', 'none', ...ours, llamaImage()]);
    await docker(['rename', 'ollama', '0123456789ab_ollama']);
    await killedCommand(home);
    const before = await findings(home, 9);
    expect(before).toContainEqual(expect.objectContaining({ check: 'command-interrupted', level: 'note' }));
    const left = before.filter(({ fixable }) => fixable).map(({ check }) => check);
    expect(left.sort()).toEqual(['helper-left', 'ingest-leftover', 'service-interrupted']);

    const fixed = await aixcl(['doctor', '--fix'], { home });
    expect(fixed.code, fixed.stdout).toBe(0);
    const after = await findings(home, 0);
    expect(after.filter(({ check, fixable }) => fixable || check === 'command-interrupted')).toEqual([]);
    expect(await readdir(join(home.root, 'vault', 'ingest'))).toEqual([]);
    const { stdout } = await docker(['ps', '--all', '--format', '{{.Names}}']);
    expect(stdout.trim().split('\n').sort()).toEqual(['llama-server', 'ollama']);
  });

  engineTest(
    'a folder that a volume is a name for is missed, and not made by --fix: its disk may not be mounted',
    async () => {
      await using home = await healthyHome();
      await aixcl(['stack', 'stop'], { home });
      await rename(home.ollama, `${home.ollama}-aside`);
      expect(await findings(home, 9)).toContainEqual(
        expect.objectContaining({ check: 'folder-missing', what: expect.stringContaining(home.ollama) }),
      );
      expect((await aixcl(['doctor', '--fix'], { home })).code).toBe(9);
      expect(existsSync(home.ollama)).toBe(false);
      await rename(`${home.ollama}-aside`, home.ollama);
      await findings(home, 0);
    },
  );

  engineTest(
    'an engine that is off is the first finding, and what lies on the disk is examined all the same',
    async () => {
      await using home = await makeHome();
      await seedStore(home.ollama, 'milk');
      await truncate(manifestFile(home.ollama, 'milk'), 0);
      const env = { DOCKER_HOST: `unix://${home.root}/none.sock` };
      const found = await findings(home, 9, env);
      expect(found.map(({ check }) => check)).toEqual([
        'engine-unreachable',
        'manifest-unreadable',
        'blob-orphaned',
      ]);
    },
  );

  engineTest('an engine that hangs is told, and holds up nothing else', async () => {
    await using home = await makeHome();
    await seedStore(home.ollama, 'milk');
    await truncate(manifestFile(home.ollama, 'milk'), 0);
    const socket = join(home.root, 'hangs.sock');
    const server = createServer((request, response) => {
      if (request.url === '/_ping') response.setHeader('Api-Version', '1.41').end('OK');
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const began = performance.now();
      const found = await findings(home, 9, { DOCKER_HOST: `unix://${socket}` });
      expect(performance.now() - began).toBeLessThan(4 * longestMs);
      expect(found.map(({ check }) => check)).toEqual([
        'engine-unreachable',
        'manifest-unreadable',
        'blob-orphaned',
      ]);
      expect(found[0]?.what).toContain('no answer within 5 s');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  engineTest('another home on the engine is named, with how to use it', async () => {
    await using theirs = await healthyHome();
    await using home = await makeHome();
    expect(await findings(home, 9)).toEqual([
      expect.objectContaining({
        check: 'other-home',
        what: expect.stringContaining(`belongs to the home ${theirs.root}; this is ${home.root}`),
        command: `AIXCL_HOME=${theirs.root} aixcl doctor`,
      }),
    ]);
  });

  engineTest('a definition that does not load is one finding, and does not end the examination', async () => {
    await using home = await healthyHome();
    await writeFile(join(home.root, 'compose.override.yaml'), 'services: {ollama: {imag: x}}\n');
    await mkdir(join(home.root, 'vault', 'quarantine'), { recursive: true });
    await writeFile(join(home.root, 'vault', 'quarantine', 'killed-1'), 'rotten');
    const checks = (await findings(home, 9)).map(({ check }) => check);
    expect(checks).toEqual(['definition-wrong', 'vault-on-models-disk', 'bytes-set-aside']);
  });
});

interface Listed {
  readonly check: string;
  readonly level: string;
  readonly what: string;
  readonly command: string | null;
  readonly fixable: boolean;
}

/** What `doctor` lists, once it ended with `code` where one is expected. */
async function findings(
  home: TestHome & Partial<Pick<SmallStack, 'args'>>,
  code?: number,
  env: Record<string, string> = {},
): Promise<Listed[]> {
  const outcome = await aixcl([...(home.args ?? []), 'doctor', '--format', 'json'], { home, env });
  if (code !== undefined) expect(outcome.code, `${outcome.stdout}${outcome.stderr}`).toBe(code);
  return outcome.json.filter(({ type }) => type === 'finding') as unknown as Listed[];
}

/** Both services run, and Ollama's one model is saved. */
async function healthyHome(): Promise<TestHome> {
  await resetEngine();
  const home = await makeHome({ ollama: await ollamaImage() });
  await seedStore(home.ollama, 'tea');
  for (const args of [
    ['stack', 'start', 'ollama', 'llama-server'],
    ['backups', 'create'],
  ]) {
    const { code, stderr }: Aixcl = await aixcl(args, { home });
    expect(code, stderr).toBe(0);
  }
  return home;
}

/** Leaves what the journal has of a command whose process is gone. */
async function killedCommand({ root }: TestHome): Promise<void> {
  const folder = join(root, 'journal');
  const months = (await readdir(folder)).sort();
  const line = {
    time: new Date().toISOString(),
    operation: '20261122t010203-abcdef',
    event: 'begin',
    command: 'models remove',
    targets: ['tea'],
    pid: 2 ** 22 - 1,
  };
  await appendFile(join(folder, months.at(-1)!), `${JSON.stringify(line)}\n`);
}

/** A stack whose volume lies inside the engine and that never ran. */
async function unheldVolume(): Promise<SmallStack> {
  const data = { volumes: ['data:/data'] };
  const stack = await smallStack({ db: shell('sleep 1000', data) }, { volumes: { data: {} } });
  await docker(['volume', 'create', 'small_data']);
  return stack;
}

/** A volume with an Ollama's model in it, and no container. */
async function fillVolume(name: string, model: string): Promise<void> {
  const seed = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
  await seedStore(seed, model, { seed: model });
  const mounted = ['--name', 'seed', '--network', 'none', '--volume', `${name}:/root/.ollama`];
  await docker(['create', ...mounted, llamaImage()]);
  expect((await docker(['cp', `${seed}/.`, 'seed:/root/.ollama'])).code).toBe(0);
  await docker(['rm', 'seed']);
  await rm(seed, { recursive: true });
}
