/** 17: the daemon is killed, or restarted, under a command that needs it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { shell, smallStack } from '../../e2e/small-stack.ts';
import {
  aixcl,
  describeEngine,
  docker,
  engineTest,
  type Outcome,
  spawnAixcl,
  type TestHome,
  testEngine,
} from '../../setup/engine-test.ts';
import { type Content, isSaved, savedIn } from '../lab/oracle.ts';
import { until } from '../lab/until.ts';
import { type VolumeHome, volumeHome } from './volume-home.ts';

/** A command whose engine went away ends within so many milliseconds. */
const soon = 10_000;
/** Long enough a time to copy that the daemon is gone in the middle of it. */
const large = 192;

interface Entry {
  readonly operation: string;
  readonly event: string;
  readonly kind?: string;
  readonly outcome?: string;
  readonly because?: string | null;
}

async function journalOf({ root }: TestHome): Promise<Entry[]> {
  const folder = join(root, 'journal');
  const names = (await readdir(folder).catch(() => [])).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry),
  );
}

/** How often a step of this kind stands in the journal. */
async function noted(home: TestHome, kind: string): Promise<number> {
  return (await journalOf(home)).filter((entry) => entry.kind === kind).length;
}

/** Bytes that are being written into the vault. */
async function coming(vault: string): Promise<number> {
  const ingest = join(vault, 'ingest');
  let bytes = 0;
  for (const operation of await readdir(ingest)) {
    for (const name of await readdir(join(ingest, operation))) {
      bytes += (await stat(join(ingest, operation, name))).size;
    }
  }
  return bytes;
}

/** Runs a command, and ends the daemon `when`; answers how the command ended, and how long after that. */
async function cutOff(
  home: TestHome,
  args: readonly string[],
  when: () => Promise<boolean>,
  end: () => Promise<void> = () => testEngine().kill(),
): Promise<Outcome & { readonly took: number }> {
  const { child, outcome } = spawnAixcl(args, { home });
  let over = false;
  child.once('exit', () => {
    over = true;
  });
  await until(async () => over || (await when()));
  if (over) throw new Error(`the command ended before the daemon did: ${(await outcome).stderr}`);
  await end();
  const began = performance.now();
  const ended = await outcome;
  return { ...ended, took: performance.now() - began };
}

/** It says that the engine is gone, at once, and the journal says so too. */
async function expectToldOff(
  home: TestHome,
  { code, stderr, took }: Awaited<ReturnType<typeof cutOff>>,
): Promise<void> {
  expect(`${code} ${stderr}`).toMatch(/^10 /);
  expect(stderr).toMatch(/error: .*(engine|Docker)/);
  expect(took).toBeLessThan(soon);
  const entries = await journalOf(home);
  const last = entries.findLast(({ event }) => event === 'begin')!;
  expect(entries.filter(({ operation }) => operation === last.operation).at(-1)).toMatchObject({
    event: 'end',
    outcome: 'failed',
    because: expect.stringMatching(/engine|Docker/),
  });
}

/** Brings the daemon back, and the Ollama that it served. */
async function back(home?: VolumeHome): Promise<void> {
  await testEngine().start();
  await home?.wake();
}

/** SIGTERM: it stops the containers, and is started again. */
async function restart(): Promise<void> {
  const engine = testEngine();
  process.kill(engine.pid!, 'SIGTERM');
  await until(async () => engine.pid === undefined);
}

async function savedBefore(home: VolumeHome, tea: Content): Promise<void> {
  const saved = await savedIn(home.vault);
  expect(saved.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(isSaved(saved, tea)).toBe(true);
}

describeEngine('a daemon that goes away', () => {
  for (const [how, end] of [
    ['killed', undefined],
    ['restarted', restart],
  ] as const) {
    engineTest(`17: ${how} in a backup of a store inside the engine`, async () => {
      await using home = await volumeHome();
      await home.serve(true, large);
      const tea = (await home.tea())!;
      const cut = await cutOff(home, ['backups', 'create'], async () => (await coming(home.vault)) > 0, end);
      await expectToldOff(home, cut);
      expect(await savedIn(home.vault)).toEqual([]);
      await back(home);
      await home.must('backups', 'create');
      await savedBefore(home, tea);
      expect(await readdir(join(home.vault, 'ingest'))).toEqual([]);
    });
  }

  engineTest('17: killed in a removal, at each of its steps', async () => {
    await using home = await volumeHome();
    await home.serve(true, large);
    const tea = (await home.tea())!;
    await home.must('backups', 'create');
    for (const step of ['save', 'remove']) {
      const before = await noted(home, step);
      const cut = await cutOff(
        home,
        ['models', 'remove', 'tea', '--yes'],
        async () => (await noted(home, step)) > before,
      );
      await expectToldOff(home, cut);
      await savedBefore(home, tea);
      await back(home);
      const left = await home.tea();
      if (left !== undefined) expect(left).toEqual(tea);
      if (left !== undefined) await home.must('models', 'remove', 'tea', '--yes');
      expect(await home.tea()).toBeUndefined();
      await home.must('undo', '--yes');
      expect(await home.tea()).toEqual(tea);
    }
    await savedBefore(home, tea);
  });

  for (const step of ['create-network', 'create', 'start'] as const) {
    engineTest(`17: killed in a start, at its step ${step}`, async () => {
      await using home = await fiveServices();
      const cut = await cutOff(
        home,
        [...home.args, 'stack', 'start', '--yes'],
        async () => (await noted(home, step)) > 0,
      );
      await expectToldOff(home, cut);
      await back();
      await expectUp(home);
    });
  }

  for (const [how, end] of [
    ['killed', undefined],
    ['restarted', restart],
  ] as const) {
    engineTest(`17: ${how} while a start waits for health`, async () => {
      await using home = await fiveServices();
      const args = [...home.args, 'stack', 'start', '--yes'];
      const waits = async () => (await noted(home, 'start')) === 5 && (await delay(500, true));
      await expectToldOff(home, await cutOff(home, args, waits, end));
      await back();
      await expectUp(home);
    });
  }

  engineTest('17: killed in a clean, which then ends it', async () => {
    await using home = await fiveServices();
    expect((await aixcl([...home.args, 'stack', 'start', '--no-wait'], { home })).code).toBe(0);
    const args = [...home.args, 'stack', 'clean', '--yes'];
    const cut = await cutOff(home, args, async () => (await noted(home, 'remove-container')) >= 2);
    await expectToldOff(home, cut);
    await back();
    const { code, stderr } = await aixcl(args, { home });
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    expect((await docker(['ps', '--all', '--quiet'])).stdout).toBe('');
  });

  engineTest(
    '17: killed while a clean saves a volume: it is there, and is saved and removed by the next one',
    async () => {
      await using home = await volumeHome();
      await home.serve(true, large);
      await docker(['rm', '--force', 'ollama']);
      await home.must('stack', 'start', 'ollama');
      const tea = (await home.tea())!;
      const args = ['stack', 'clean', '--yes', '--volumes', 'ollama', '--confirm', 'ollama'];
      const cut = await cutOff(home, args, async () => (await coming(home.vault)) > 0);
      await expectToldOff(home, cut);
      await back();
      await home.must('stack', 'start', 'ollama');
      expect(await home.tea()).toEqual(tea);
      await home.must(...args);
      expect((await docker(['volume', 'ls', '--quiet'])).stdout).toBe('');
      await home.must('backups', 'verify');
      expect((await savedIn(home.vault)).flatMap(({ wrong }) => wrong)).toEqual([]);
    },
  );
});

const names = ['a', 'b', 'c', 'd', 'e'];

/** Five services that take some seconds to become healthy. */
async function fiveServices() {
  const healthcheck = { test: ['CMD', 'test', '-e', '/tmp/up'], interval: '1s' };
  const slow = shell('sleep 2; touch /tmp/up; sleep 1000', {
    healthcheck,
    network_mode: undefined,
    restart: 'unless-stopped',
  });
  return smallStack(Object.fromEntries(names.map((name) => [name, slow])));
}

/** The same command again brings all of them up. */
async function expectUp(home: Awaited<ReturnType<typeof fiveServices>>): Promise<void> {
  const { code, stderr: said } = await aixcl([...home.args, 'stack', 'start', '--yes'], { home });
  expect(`${code} ${said}`).toMatch(/^0 /);
  const { stdout } = await docker(['ps', '--format', '{{.Names}}']);
  expect(stdout.trim().split('\n').sort()).toEqual(names.map((name) => `small-${name}-1`));
  expect((await aixcl([...home.args, 'stack', 'status', '--check'], { home })).code).toBe(0);
}
