import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { aixcl, describeEngine, engineTest, spawnAixcl } from '../setup/engine-test.ts';
import { shell, sleeper, smallStack } from './small-stack.ts';

interface Told {
  readonly command: string;
  readonly outcome: string;
  readonly steps: readonly { readonly kind: string; readonly target: string }[];
  readonly id: string;
  readonly resolvedBy: string | null;
  readonly resolution: string | null;
}

type Stack = Awaited<ReturnType<typeof smallStack>>;

async function journalOf(home: Stack): Promise<Told[]> {
  const { code, json } = await aixcl(['journal', '--format', 'json'], { home });
  expect(code).toBe(0);
  expect(json.every(({ type }) => type === 'operation')).toBe(true);
  return json as unknown as Told[];
}

async function ok(home: Stack, ...args: string[]): Promise<void> {
  const { code, stderr } = await aixcl([...home.args, ...args], { home });
  expect(`${code} ${stderr}`).toMatch(/^0 /);
}

const steps = ({ steps: all }: Told) => all.map(({ kind, target }) => `${kind} ${target}`);

describeEngine('the journal', () => {
  engineTest('tells what moved the stack, and nothing of what changed nothing', async () => {
    await using home = await smallStack({ a: sleeper() });
    const empty = await aixcl(['journal'], { home });
    expect(empty).toMatchObject({ code: 0, stdout: '' });
    expect(empty.stderr).toContain('the journal is empty');

    await ok(home, 'stack', 'start');
    const before = await readdir(join(home.root, 'journal'));
    await ok(home, 'stack', 'start');
    await ok(home, 'stack', 'status');
    await ok(home, 'stack', 'stop', '--dry-run');
    expect(await journalOf(home)).toHaveLength(1);
    await ok(home, 'service', 'restart', 'a');
    await ok(home, 'stack', 'stop');
    const told = await journalOf(home);
    expect(told.map(({ command, outcome }) => `${command}: ${outcome}`)).toEqual([
      `stack start --file ${home.file}: done`,
      `service restart --file ${home.file}: done`,
      `stack stop --file ${home.file}: done`,
    ]);
    expect(told.map(steps)).toEqual([
      ['create small-a-1', 'start a'],
      ['restart small-a-1'],
      ['stop small-a-1'],
    ]);

    await appendFile(join(home.root, 'journal', before[0]!), '{"time":\n');
    const table = await aixcl(['journal', '--tail', '1'], { home });
    expect(table.stdout).toContain('stack stop');
    expect(table.stdout).not.toContain('service restart');
    expect(table.stderr).toContain("a line of the journal can't be read");
    const one = await aixcl(['journal', told[0]!.id.slice(-6)], { home });
    expect(one.stdout).toContain('create small-a-1: there is no container for it');
  });

  engineTest('tells what was interrupted, and what resolved it', async () => {
    const healthcheck = { test: ['CMD', 'test', '-e', '/tmp/up'] };
    await using home = await smallStack({ a: shell('sleep 3; touch /tmp/up; sleep 1000', { healthcheck }) });
    const { child, outcome } = spawnAixcl([...home.args, 'stack', 'start'], { home });
    await expect.poll(async () => (await journalOf(home))[0]?.steps.length, { timeout: 20_000 }).toBe(2);
    expect((await journalOf(home))[0]).toMatchObject({ outcome: 'running', resolution: null });
    child.kill('SIGKILL');
    await outcome;
    const again = `stack start --file ${home.file}`;
    expect(await journalOf(home)).toMatchObject([
      { outcome: 'interrupted', resolvedBy: null, resolution: `not yet: run aixcl ${again}` },
    ]);
    await ok(home, 'stack', 'start');
    const [killed, next] = await journalOf(home);
    expect(killed).toMatchObject({ outcome: 'interrupted', resolvedBy: next!.id });
    expect((await aixcl(['journal'], { home })).stdout).toMatch(
      /Last interrupted: stack start .*at: start a: it was just made\n.*done by stack start/,
    );
  });

  engineTest('is followed from before it is there, until Ctrl-C', async () => {
    await using home = await smallStack({ a: sleeper() });
    const { child, outcome } = spawnAixcl(['journal', '--follow', '--format', 'json'], { home });
    let said = '';
    child.stdout!.on('data', (text) => {
      said += text;
    });
    await ok(home, 'stack', 'start');
    await expect.poll(() => said, { timeout: 10_000 }).toContain('"event":"end"');
    child.kill('SIGINT');
    const { code, stdout, stderr } = await outcome;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type, event }) => `${type} ${event}`)).toEqual([
      'entry begin',
      'entry step',
      'entry step',
      'entry end',
    ]);
  });
});
