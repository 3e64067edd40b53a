/** A volume `ollama` whose bytes lie inside the engine: read by the archive API, written by helper containers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { aixcl, describeEngine, docker, engineTest, spawnAixcl } from '../../setup/engine-test.ts';
import { isSaved, savedIn } from '../lab/oracle.ts';
import { volumeHome } from './volume-home.ts';

async function helpers(): Promise<string[]> {
  const { stdout } = await docker(['ps', '--all', '--quiet', '--filter', 'label=io.aixcl.operation']);
  return stdout.split('\n').filter((id) => id !== '');
}

async function aHelper(): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { stdout } = await docker(['ps', '--quiet', '--filter', 'label=io.aixcl.operation']);
    const [id] = stdout.split('\n');
    if (id) return id;
    await delay(50);
  }
  throw new Error('no helper container came');
}

describeEngine('a volume inside the engine', () => {
  engineTest('is backed up, and what is removed from it comes back bit for bit', async () => {
    await using home = await volumeHome();
    await home.serve(true);
    const tea = (await home.tea())!;
    await home.must('backups', 'create');
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    await home.must('models', 'remove', 'tea', '--yes');
    expect(await home.tea()).toBeUndefined();
    await home.must('undo', '--yes');
    expect(await home.tea()).toEqual(tea);
    await home.must('models', 'verify');
    expect(await helpers()).toEqual([]);
  });

  engineTest(
    '16: a helper that is killed ends the command, and nothing of a model gets its name',
    async () => {
      await using home = await volumeHome();
      await home.serve(true);
      const tea = (await home.tea())!;
      let met = false;
      // The helper may have done its work by the time that it is killed.
      for (let tries = 0; tries < 5 && !met; tries += 1) {
        await home.must('models', 'remove', 'tea', '--yes');
        const { outcome } = spawnAixcl(['undo', '--yes'], { home });
        await docker(['kill', await aHelper()]);
        const { code, stderr } = await outcome;
        met = code !== 0;
        if (!met) continue;
        expect(stderr).toMatch(/error: .+/);
        const left = await home.tea();
        if (left !== undefined) expect(left).toEqual(tea);
        await home.must('undo', '--yes');
        expect(await home.tea()).toEqual(tea);
      }
      expect(met).toBe(true);
      expect(await helpers()).toEqual([]);
    },
  );

  engineTest('16: a helper that outlives its killed command is taken away by the next one', async () => {
    await using home = await volumeHome();
    await home.serve(true);
    const tea = (await home.tea())!;
    await home.must('models', 'remove', 'tea', '--yes');
    const { child, outcome } = spawnAixcl(['undo', '--yes'], { home });
    const helper = await aHelper();
    child.kill('SIGKILL');
    await outcome;
    expect((await helpers()).map((id) => id.slice(0, 12))).toContain(helper.slice(0, 12));
    expect(await home.tea()).toBeUndefined();
    await home.must('undo', '--yes');
    expect(await home.tea()).toEqual(tea);
    expect(await helpers()).toEqual([]);
  });

  engineTest('2: Ctrl-C and SIGTERM take the helper with them', async () => {
    await using home = await volumeHome();
    await home.serve(true);
    const tea = (await home.tea())!;
    await home.must('models', 'remove', 'tea', '--yes');
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const { child, outcome } = spawnAixcl(['undo', '--yes'], { home });
      await aHelper();
      child.kill(signal);
      expect((await outcome).code).toBe(expected);
      expect(await helpers()).toEqual([]);
      expect(await home.tea()).toBeUndefined();
    }
    await home.must('undo', '--yes');
    expect(await home.tea()).toEqual(tea);
  });

  engineTest(
    '18: removed and created empty, it is an error to back up, and retention deletes nothing',
    async () => {
      await using home = await volumeHome();
      await home.serve(true);
      const tea = (await home.tea())!;
      await home.must('backups', 'create');
      for (const args of [
        ['rm', '--force', 'ollama'],
        ['volume', 'rm', 'ollama'],
      ])
        await docker(args);
      await home.serve(false);
      const { code, stderr } = await aixcl(['backups', 'create'], { home });
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/ollama/i);
      expect((await aixcl(['backups', 'cleanup', '--execute', '--yes'], { home })).code).not.toBe(1);
      expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
      await home.must('backups', 'restore', 'b0001', '--yes');
      expect(await home.tea()).toEqual(tea);
    },
  );

  engineTest('19: a volume whose name is mistyped comes into being by no command', async () => {
    await using home = await volumeHome();
    await home.serve(true);
    await home.must('backups', 'create');
    await docker(['rm', '--force', 'ollama']);
    await writeFile(
      join(home.root, 'compose.override.yaml'),
      'volumes:\n  ollama: !override\n    name: olama\n    external: true\n',
    );
    const commands = [
      ['models', 'list'],
      ['models', 'verify'],
      ['backups', 'create'],
      ['models', 'remove', 'tea', '--yes'],
      ['undo', '--yes'],
      ['backups', 'restore', 'b0001', '--yes'],
    ];
    for (const args of commands) {
      const { code } = await aixcl(args, { home });
      expect.soft({ args, code }).not.toMatchObject({ code: 1 });
      const { stdout } = await docker(['volume', 'ls', '--quiet']);
      expect.soft({ args, volumes: stdout.trim() }).toEqual({ args, volumes: 'ollama' });
    }
    expect(await helpers()).toEqual([]);
  });
});
