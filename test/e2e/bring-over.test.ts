/** `doctor --move`: models come out of another Ollama's volume or folder, and Ollama out of a volume inside the engine. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { some } from '../faults/lab/fault-test.ts';
import { sha256Of } from '../faults/lab/oracle.ts';
import { until } from '../faults/lab/until.ts';
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
  ollamaImage,
  resetEngine,
  runProcess,
  seedStore,
  spawnAixcl,
  type TestHome,
} from '../setup/engine-test.ts';
import { stepsOf } from './ollama-stack.ts';

describeEngine('models of another Ollama', () => {
  engineTest('come out of a volume by another name, are served here, and stay there too', async () => {
    await using home = await emptyHome();
    await home.fill('services_ollama', 'tea', 'milk:1b');
    await home.ok('stack', 'start', 'ollama');
    const before = await inVolume(home, 'services_ollama');

    const dry = await home.ok('doctor', '--move', 'services_ollama', '--dry-run', '--format', 'json');
    expect(stepsOf(dry)).toEqual(['bring milk:1b planned', 'bring tea:latest planned']);
    const asked = await aixcl(['doctor', '--move', 'services_ollama'], { home });
    expect(asked.code).toBe(3);
    expect(asked.stderr).toContain('bring tea:latest');
    expect(await home.served()).toEqual([]);

    const moved = await home.move('services_ollama');
    expect(stepsOf(moved)).toEqual(['bring milk:1b done', 'bring tea:latest done']);
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
    await home.ok('models', 'verify');
    expect(await inVolume(home, 'services_ollama')).toEqual(before);

    const again = await home.ok('doctor', '--move', 'services_ollama', '--yes');
    expect(again.stdout).toContain('kept tea:latest: the same is here already');
    expect(again.stdout).toContain('docker volume rm services_ollama');
    expect((await docker(['volume', 'rm', 'services_ollama'])).code).toBe(0);
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
    expect((await home.ok('journal', '--format', 'json')).stdout).toContain('doctor --move');
  });

  engineTest('come out of a folder with nothing running, without its key and its partials', async () => {
    await using home = await emptyHome();
    await using other = await folder('tea', 'milk:1b');
    await writeFile(join(other.path, 'id_ed25519'), 'private');
    const partial = `models/blobs/sha256-${'a'.repeat(64)}-partial-0`;
    await writeFile(join(other.path, partial), 'half');
    const before = await contentOf(other.path);
    await home.move(other.path);
    const here = await contentOf(home.ollama);
    const { id_ed25519: _key, ...models } = before;
    delete models[partial];
    expect(here).toEqual(models);
    expect(await contentOf(other.path)).toEqual(before);
    await home.ok('stack', 'start', 'ollama');
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
  });

  engineTest('do not go over a model of ours that has their name: it is told, and exit 5', async () => {
    await using home = await emptyHome();
    await using other = await folder('tea', 'milk:1b');
    const ours = await seedStore(home.ollama, 'tea', { seed: 'ours' });
    const { code, stdout } = await aixcl(['doctor', '--move', join(other.path, 'models'), '--yes'], { home });
    expect({ code, stdout }).toMatchObject({ code: 5 });
    expect(stdout).toMatch(/tea:latest stays where it is: another tea:latest \([0-9a-f]{12}\) is here/);
    expect(stdout).toContain('brought milk:1b');
    expect(stdout).not.toContain('rm -r');
    expect(await readFile(manifestFile(home.ollama, 'tea'))).toEqual(ours.manifest);
    await home.ok('models', 'verify');
  });

  engineTest('that are damaged stay where they are and are named, and the others come', async () => {
    await using home = await emptyHome();
    await using other = await folder('tea', 'milk:1b', 'juice');
    const tea = blobFile(other.path, other.models.get('tea')!.blobs[0]!.digest);
    const content = await readFile(tea);
    content[content.length - 9]! ^= 1;
    await writeFile(tea, content);
    await truncate(blobFile(other.path, other.models.get('juice')!.blobs[0]!.digest), 100);
    const { code, stdout, stderr } = await aixcl(['doctor', '--move', other.path, '--yes'], { home });
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('2 of 3') });
    expect(stdout).toMatch(/tea:latest was not brought: blobs\/sha256-\w+ of \S+ is damaged/);
    expect(stdout).toContain('juice:latest stays where it is: it is damaged');
    expect(await home.listed()).toEqual(['milk:1b']);
    await home.ok('models', 'verify');
  });

  engineTest('are looked for where somebody says: a mistyped name makes no volume', async () => {
    await using home = await emptyHome();
    await docker(['volume', 'create', 'empty']);
    for (const text of ['services_olama', '/no/such/folder', 'empty']) {
      expect((await aixcl(['doctor', '--move', text, '--yes'], { home })).code, text).toBe(4);
    }
    expect((await docker(['volume', 'ls', '--quiet'])).stdout.trim()).toBe('empty');
    await docker(['volume', 'create', 'open-webui']);
    expect((await aixcl(['doctor', '--move', 'open-webui', '--yes'], { home })).code).toBe(3);
    await seedStore(home.ollama, 'tea');
    expect((await aixcl(['doctor', '--move', home.ollama, '--yes'], { home })).code).toBe(3);
  });

  engineTest('are whole or not there when it is killed, and the next run brings the rest', async () => {
    await using home = await emptyHome();
    const seeds = ['a1', 'b2', 'c3', 'd4'];
    await home.fill('services_ollama', ...seeds.map((name) => ({ name, noise: 24 << 20 })));
    let cut = 0;
    for (const bytes of [1, 20 << 20, 40 << 20, 60 << 20]) {
      const { child, outcome } = spawnAixcl(['doctor', '--move', 'services_ollama', '--yes'], { home });
      await Promise.race([until(async () => (await sizeOf(home.ollama)) >= bytes), outcome]);
      child.kill('SIGKILL');
      if ((await outcome).code !== 0) cut += 1;
      await home.ok('models', 'verify');
    }
    expect(cut).toBeGreaterThan(1);
    await home.move('services_ollama');
    expect(await home.listed()).toEqual(seeds.map((name) => `${name}:latest`));
    await home.ok('models', 'verify');
    expect(existsSync(join(home.ollama, 'models', '.aixcl-staging'))).toBe(false);
    expect((await docker(['ps', '--all', '--quiet'])).stdout).toBe('');
  });
});

describeEngine('a volume of this home that lies inside the engine', () => {
  engineTest('is left for a folder of the home: served, seen by all, the volume kept and held', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', 'tea', 'milk:1b');
    await home.ok('stack', 'start', 'ollama');
    const before = await inVolume(home, 'ollama');
    await docker(['rm', '--force', 'aixcl-guard']);

    const moved = await home.move('ollama');
    expect(stepsOf(moved)).toEqual([
      'bring milk:1b done',
      'bring tea:latest done',
      'hold ollama done',
      'stop ollama done',
      'copy-rest ollama done',
      'switch aixcl-ollama done',
      'keep-volume ollama kept',
      'start ollama done',
    ]);
    expect(await mountOf('ollama')).toMatchObject({ Name: 'aixcl-ollama' });
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
    expect(await home.listed()).toEqual(['milk:1b', 'tea:latest']);
    expect(await home.volumes()).toEqual([
      { name: 'aixcl-ollama', heldBy: `folder ${home.ollama}` },
      { name: 'ollama', heldBy: 'guard aixcl-guard' },
    ]);
    await home.ok('models', 'verify');
    expect(pick(await inVolume(home, 'ollama'), Object.keys(before))).toEqual(before);

    const up = await compose(['up', '--detach', '--wait', 'ollama'], { cwd: home.root, env: home.env });
    expect(up.code, up.stderr).toBe(0);
    expect(`${up.stdout}${up.stderr}`).not.toMatch(/recreate \(data|already exists but/i);
    expect(await mountOf('ollama')).toMatchObject({ Name: 'aixcl-ollama' });
    await compose(['down', '--volumes', '--timeout', '1'], { cwd: home.root, env: home.env });
    await home.ok('stack', 'start', 'ollama');
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
    await home.ok('models', 'verify');
    expect((await home.ok('stack', 'start', 'ollama', '--format', 'json')).json.at(-1)).toMatchObject({
      changed: false,
    });

    await home.ok('stack', 'clean', '--volumes', 'ollama', '--confirm', 'ollama', '--yes');
    expect((await docker(['volume', 'ls', '--quiet'])).stdout).not.toMatch(/^ollama$/m);
    await home.ok('stack', 'start', 'ollama');
    expect(await home.served()).toEqual(['milk:1b', 'tea:latest']);
  });

  engineTest('that is stopped stays so, and its models are listed from the folder', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', 'tea');
    await home.ok('stack', 'start', 'ollama');
    await home.ok('stack', 'stop', 'ollama');
    const moved = await home.move('ollama');
    expect(stepsOf(moved)).toContain('remove-container ollama done');
    expect((await docker(['ps', '--quiet', '--filter', 'name=^ollama$'])).stdout).toBe('');
    expect(await home.listed()).toEqual(['tea:latest']);
    await rm(manifestFile(home.ollama, 'tea'));
    expect(await home.listed()).toEqual([]);
  });

  engineTest('takes along what came into it while it was copied, and what became of a tag', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', { name: 'tea', noise: 96 << 20 }, 'milk');
    await home.ok('stack', 'start', 'ollama');
    const running = spawnAixcl(['doctor', '--move', 'ollama', '--yes'], { home });
    await until(async () => (await sizeOf(home.ollama)) > 10 << 20);
    for (const destination of ['late', 'milk']) {
      const copied = await fetch(`http://127.0.0.1:${home.ports.ollama}/api/copy`, {
        method: 'POST',
        body: JSON.stringify({ source: 'tea', destination }),
      });
      expect(copied.status).toBe(200);
    }
    const { code, stdout, stderr } = await running.outcome;
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(await home.served()).toEqual(['late:latest', 'milk:latest', 'tea:latest']);
    const tea = await readFile(manifestFile(home.ollama, 'tea'));
    expect(await readFile(manifestFile(home.ollama, 'milk'))).toEqual(tea);
  });

  engineTest('is Ollama’s still, and that runs, where what came meanwhile can’t be copied', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', { name: 'tea', noise: 96 << 20 });
    await home.ok('stack', 'start', 'ollama');
    const running = spawnAixcl(['doctor', '--move', 'ollama', '--yes'], { home });
    await until(async () => (await sizeOf(home.ollama)) > 10 << 20);
    const torn =
      'cd /root/.ollama/models/manifests/registry.ollama.ai/library; mkdir torn; echo "{" > torn/latest';
    await run('exec', 'ollama', 'sh', '-c', torn);
    const { code, stderr } = await running.outcome;
    expect({ code, stderr }).toMatchObject({ code: 7, stderr: expect.stringContaining('torn:latest') });
    expect((await docker(['ps', '--quiet', '--filter', 'name=^ollama$'])).stdout).not.toBe('');
    await home.ok('stack', 'start', 'ollama');
    expect(await mountOf('ollama')).toMatchObject({ Name: 'ollama' });
    expect(await home.served()).toEqual(['tea:latest']);
  });

  engineTest('is not left while the folder holds other models, or a model is damaged', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', 'tea');
    await home.ok('stack', 'start', 'ollama');
    await seedStore(home.ollama, 'other');
    const refused = await aixcl(['doctor', '--move', 'ollama', '--yes'], { home });
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('other:latest') });
    await rm(home.ollama, { recursive: true });
    const weights = blobFile('/root/.ollama', home.tea.blobs[0]!.digest);
    await docker(['exec', 'ollama', 'sh', '-c', `echo x | dd of=${weights} seek=99 bs=1 conv=notrunc`]);
    const damaged = await aixcl(['doctor', '--move', 'ollama', '--yes'], { home });
    expect(damaged).toMatchObject({ code: 7, stderr: expect.stringContaining('is damaged') });
    expect(await mountOf('ollama')).toMatchObject({ Name: 'ollama' });
    expect(await home.served()).toEqual(['tea:latest']);
  });

  engineTest('is Ollama’s again where Ollama does not come up on the folder', async () => {
    await using home = await emptyHome();
    await home.fill('ollama', 'tea');
    await home.ok('stack', 'start', 'ollama');
    const overlay = await readFile(join(home.root, 'compose.home.yaml'), 'utf8');
    const override = join(home.root, 'compose.override.yaml');
    await writeFile(override, 'services: {ollama: {entrypoint: ["sh", "-c", "exit 1"]}}\n');
    const failed = await aixcl(['doctor', '--move', 'ollama', '--yes'], { home });
    expect(failed.code, failed.stderr).toBe(6);
    await rm(override);
    expect(await mountOf('ollama')).toMatchObject({ Name: 'ollama' });
    expect(await readFile(join(home.root, 'compose.home.yaml'), 'utf8')).toBe(overlay);
    expect(await home.served()).toEqual(['tea:latest']);
    await home.move('ollama');
    expect(await mountOf('ollama')).toMatchObject({ Name: 'aixcl-ollama' });
    expect(await home.served()).toEqual(['tea:latest']);
  });

  engineTest(
    'loses nothing when the move is killed at any step, and the next run ends it',
    async () => {
      for (const step of some(steps, 3)) {
        await using home = await emptyHome();
        await home.fill('ollama', 'tea', 'milk:1b');
        await home.ok('stack', 'start', 'ollama');
        const { child, outcome } = spawnAixcl(['doctor', '--move', 'ollama', '--yes'], { home });
        const journal = () => journalOf(home);
        await Promise.race([until(async () => (await journal()).includes(`"kind":"${step}"`)), outcome]);
        child.kill('SIGKILL');
        const { code } = await outcome;
        expect({ step, code }).toEqual({ step, code: 137 });

        const next = await aixcl(['doctor', '--move', 'ollama', '--yes'], { home });
        expect({ step, code: next.code, stderr: next.stderr }).toMatchObject({ step, code: 0 });
        await home.ok('stack', 'start', 'ollama');
        expect(await mountOf('ollama'), step).toMatchObject({ Name: 'aixcl-ollama' });
        expect(await home.served(), step).toEqual(['milk:1b', 'tea:latest']);
        await home.ok('models', 'verify');
        expect(await home.volumes(), step).toContainEqual({ name: 'ollama', heldBy: 'guard aixcl-guard' });
      }
    },
    300_000,
  );
});

/** Of `doctor --move`, in the journal. */
const steps = ['stop', 'bring', 'hold', 'copy-rest', 'switch', 'create-volume', 'replace'];

type Wish = string | { readonly name: string; readonly noise: number };

interface EmptyHome extends TestHome {
  readonly tea: Awaited<ReturnType<typeof seedStore>>;
  /** Makes a volume inside the engine with these models. */
  fill(volume: string, ...models: Wish[]): Promise<void>;
  /** Runs aixcl and expects exit code 0. */
  ok(...args: string[]): Promise<Aixcl>;
  move(what: string): Promise<Aixcl>;
  /** Names that `models list` shows. */
  listed(): Promise<unknown[]>;
  /** Names that the running Ollama has. */
  served(): Promise<string[]>;
  volumes(): Promise<{ name: unknown; heldBy: unknown }[]>;
}

/** A home that is new, on an engine with nothing on it. */
async function emptyHome(): Promise<EmptyHome> {
  await resetEngine();
  const image = await ollamaImage();
  const home = await makeHome({ ollama: image });
  await using seed = await folder('tea');
  const ok = async (...args: string[]): Promise<Aixcl> => {
    const outcome = await aixcl(args, { home });
    if (outcome.code === 0) return outcome;
    throw new Error(`aixcl ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}`);
  };
  return {
    ...home,
    ok,
    tea: seed.models.get('tea')!,
    async fill(volume, ...models) {
      await using made = await folder(...models);
      await run('volume', 'create', volume);
      await run(
        'create',
        '--name',
        'seed',
        '--network',
        'none',
        '--volume',
        `${volume}:/root/.ollama`,
        image,
      );
      await run('cp', `${made.path}/.`, 'seed:/root/.ollama');
      await run('rm', 'seed');
    },
    move: (what) => ok('doctor', '--move', what, '--yes', '--format', 'json'),
    listed: async () => (await ok('models', 'list', '--format', 'json')).json.map(({ name }) => name),
    async served() {
      const answer = await fetch(`http://127.0.0.1:${home.ports.ollama}/api/tags`);
      const { models } = (await answer.json()) as { models: { name: string }[] };
      return models.map(({ name }) => name).sort();
    },
    async volumes() {
      const { json } = await ok('stack', 'status', '--format', 'json');
      const all = json.flatMap((status) => status.volumes as { name: string; heldBy: string }[]);
      return all.map(({ name, heldBy }) => ({ name, heldBy })).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** An Ollama's folder of this machine. */
async function folder(...wishes: Wish[]) {
  const path = await mkdtemp(join(tmpdir(), 'aixcl-other-'));
  const models = new Map<string, Awaited<ReturnType<typeof seedStore>>>();
  for (const wish of wishes) {
    const { name, noise } = typeof wish === 'string' ? { name: wish, noise: 0 } : wish;
    models.set(name, await seedStore(path, name, { seed: name, noise }));
  }
  return { path, models, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await docker(args);
  expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
}

/** sha256 by path. */
async function contentOf(path: string): Promise<Record<string, string>> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = await Promise.all(
    files.map(async (file) => [file.slice(path.length + 1), await sha256Of(file)]),
  );
  return Object.fromEntries(hashed);
}

async function inVolume({ env }: TestHome, volume: string): Promise<Record<string, string>> {
  const copy = await mkdtemp(join(tmpdir(), 'aixcl-volume-'));
  try {
    await run('create', '--name', 'look', '--network', 'none', '--volume', `${volume}:/v`, env.OLLAMA_IMAGE!);
    await run('cp', 'look:/v/.', copy);
    await run('rm', 'look');
    return await contentOf(copy);
  } finally {
    await rm(copy, { recursive: true });
  }
}

function pick(content: Record<string, string>, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(content).filter(([path]) => paths.includes(path)));
}

/** Bytes of the blobs in an Ollama's folder, and of what is being written beside them; 0 where it is not there. */
async function sizeOf(path: string): Promise<number> {
  const { stdout } = await runProcess('find', [path, '-type', 'f', '-printf', '%s\n'], { env: process.env });
  return stdout.split('\n').reduce((sum, size) => sum + Number(size), 0);
}

async function mountOf(container: string) {
  const { Mounts } = await dockerApi().getContainer(container).inspect();
  return Mounts.find(({ Destination }) => Destination === '/root/.ollama');
}

async function journalOf({ root }: TestHome): Promise<string> {
  const names = await readdir(join(root, 'journal'));
  const texts = await Promise.all(names.map((name) => readFile(join(root, 'journal', name), 'utf8')));
  return texts.join('');
}
