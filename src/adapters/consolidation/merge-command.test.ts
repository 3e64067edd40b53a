import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMergeCommand } from './merge-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-merge-command-'));
});
afterAll(() => rm(folder, { recursive: true }));

function run(command: string, signal = new AbortController().signal, lines: string[] = []): Promise<void> {
  const paths = { base: '/b.gguf', adapter: '/a', output: join(folder, 'out') };
  return runMergeCommand({ command, ...paths, signal, onLine: (line) => lines.push(line) });
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

async function untilDead(pid: number): Promise<void> {
  for (let tries = 0; tries < 100 && (await isAlive(pid)); tries += 1) await delay(20);
  expect(await isAlive(pid)).toBe(false);
}

test('a merge command is told three paths, and nothing else of ours', async () => {
  const lines: string[] = [];
  await run('env', undefined, lines);
  const own = Object.keys(process.env);
  const told = lines.filter((line) => !own.includes(line.split('=')[0] ?? ''));
  expect(told.filter((line) => /^[A-Z]/.test(line)).sort()).toEqual(
    [
      'ADAPTER=/a',
      'BASE=/b.gguf',
      `OUTPUT=${join(folder, 'out')}`,
      ...told.filter((line) => /^(OLDPWD|PWD|SHLVL)=/.test(line)),
    ].sort(),
  );
});

test('one that fails is an error with its exit code and its last lines', async () => {
  await expect(run('seq 1 40; echo no such layer >&2; exit 3')).rejects.toMatchObject({
    code: 'unexpected',
    message: expect.stringContaining('exit 3'),
    evidence: expect.arrayContaining(['no such layer', '40']),
  });
});

test('one that is aborted ends with all that it started, also with what does not listen to it', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const running = run(
    "trap '' TERM INT; (sleep 60 & echo $!; wait) & echo $$; wait; sleep 60",
    stop.signal,
    lines,
  );
  while (lines.length < 2) await delay(10);
  const began = performance.now();
  stop.abort(new Error('stopped'));
  await expect(running).rejects.toThrow('stopped');
  expect(performance.now() - began).toBeLessThan(2000);
  for (const pid of lines.map(Number)) await untilDead(pid);
});

test('what one leaves running in its group writes no more once it ended', async () => {
  const late = join(folder, 'late');
  await run(`(sleep 0.5; touch ${late}) >/dev/null 2>&1 &`);
  await delay(800);
  expect(existsSync(late)).toBe(false);
});

test('of a line without an end its beginning is told', async () => {
  const lines: string[] = [];
  await run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end", undefined, lines);
  expect(lines.map(({ length }) => length)).toEqual([2000, 3]);
});
