/** An engine that does not see the files of this machine: what should be a name for a folder lies inside it, and the guard holds it. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  aixcl,
  blobFile,
  compose,
  currentTestEngine,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  makeHome,
  ollamaImage,
  type PrivateEngine,
  resetEngine,
  seedStore,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';

/** The current test engine has another folder in this one's place. */
const unseen = '/usr/local';

describeEngine('an engine that does not see the home', () => {
  engineTest('keeps what Ollama has inside, held by the guard, and nothing takes it', async () => {
    const engine = await currentTestEngine();
    await using home = await homeUnder(unseen, engine);
    const run = (...args: string[]) => aixcl(args, { home, env: { DOCKER_HOST: engine.host } });
    const ok = async (...args: string[]) => {
      const outcome = await run(...args);
      expect({ args, code: outcome.code, said: outcome.stderr }).toMatchObject({ args, code: 0 });
      return outcome;
    };
    const heldBy = async () => {
      const { json } = await ok('stack', 'status', '--format', 'json');
      return json.flatMap(({ volumes }) => volumes as object[])[0];
    };

    const started = await ok('stack', 'start', 'ollama');
    expect(started.stderr).toContain('the engine does not see the files of this machine: the volume ollama');
    expect(await heldBy()).toMatchObject({ name: 'ollama', holds: 'models', heldBy: 'guard aixcl-guard' });
    const volume = await engine.api.getVolume('ollama').inspect();
    expect(volume.Options ?? {}).toEqual({});
    expect(volume.Labels).toEqual({ 'io.aixcl.home': home.root, 'io.aixcl.holds': 'models' });
    expect(await readFile(join(home.root, 'compose.home.yaml'), 'utf8')).toContain('external: true');
    expect(existsSync(home.ollama)).toBe(false);
    const again = await ok('stack', 'start', 'ollama', '--format', 'json');
    expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });

    const tea = await seeded(engine);
    const weights = tea.blobs[0]!;
    expect((await ok('models', 'list', '--format', 'json')).json).toMatchObject([{ name: 'tea:latest' }]);
    await ok('models', 'remove', 'tea', '--yes');
    await ok('undo', '--yes');
    const inEngine = (args: readonly string[]) => docker(args, { engine });
    await compose(['down', '--volumes', '--timeout', '1'], { cwd: home.root, engine, env: home.env });
    await inEngine(['volume', 'rm', '--force', 'ollama']);
    await inEngine(['volume', 'prune', '--all', '--force']);
    expect((await readFile(blobFile(volume.Mountpoint, weights.digest))).equals(weights.content)).toBe(true);
    await ok('stack', 'start', 'ollama');
    await ok('models', 'verify');
    expect(await heldBy()).toMatchObject({ heldBy: 'guard aixcl-guard' });
  });

  engineTest('hides nothing that lies in the folder: exit 3, and nothing is made', async () => {
    const engine = await currentTestEngine();
    await using home = await homeUnder(unseen, engine);
    await seedStore(home.ollama, 'tea');
    const refused = await aixcl(['stack', 'start', 'ollama'], { home, env: { DOCKER_HOST: engine.host } });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`can be no name for ${home.ollama}, which holds files`);
    const { Volumes } = await engine.api.listVolumes();
    expect(Volumes ?? []).toEqual([]);
    expect(await engine.api.listContainers({ all: true })).toEqual([]);
  });
});

describeEngine('an engine that sees the home', () => {
  engineTest('is asked, and nothing is left of that', async () => {
    await resetEngine();
    await using home = await homeUnder(tmpdir(), testEngine());
    const { code, stderr } = await aixcl(['stack', 'start', 'ollama'], { home });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { Options } = await dockerApi().getVolume('ollama').inspect();
    expect(Options).toMatchObject({ o: 'bind', device: home.ollama });
    const all = await dockerApi().listContainers({ all: true });
    expect(all.map(({ Names }) => Names)).toEqual([['/ollama']]);
    expect((await readdir(home.root)).filter((name) => name.includes('engine'))).toEqual([]);
    expect(existsSync(join(home.root, 'compose.home.yaml'))).toBe(false);
  });
});

async function homeUnder(under: string, engine: PrivateEngine): Promise<TestHome> {
  return makeHome({ under, ollama: await ollamaImage(engine) });
}

/** A model in the store of the Ollama that runs. */
async function seeded(engine: PrivateEngine) {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-seed-'));
  const tea = await seedStore(folder, 'tea');
  expect((await docker(['cp', `${folder}/.`, 'ollama:/root/.ollama'], { engine })).code).toBe(0);
  await rm(folder, { recursive: true });
  return tea;
}
