import { createCipheriv, createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installPackages } from '../../src/adapters/debian/apt.ts';
import { runCommand } from '../../src/adapters/debian/run-command.ts';
import { type Line, measure, type Side } from './measured.ts';

/** Weights do not compress: one large blob, as a model has, and smaller ones. 2 GiB in all. */
const sizes = [1024, 512, 256, 128, 64, 32, 16, 16].map((mebibytes) => mebibytes * 2 ** 20);
const moreSizes = [256 * 2 ** 20];
const gateMs = { rerun: 300, remove: 1000 };
const gateBytes = 200e6;

/**
 * `npm run bench -- vault`: the vault against cp, tar and restic, each made to sync what it wrote; cp and tar also to read it again, as the
 * vault does. On `AIXCL_BENCH_DIR`, or where temporary files lie. Answers how many aims were missed.
 */
export async function benchVault(wantedRuns: number, wanted: readonly string[]): Promise<number> {
  await installPackages(['restic'], { report: (line) => process.stderr.write(`bench: ${line}\n`) });
  Object.assign(process.env, resticEnvironment);
  const root = await mkdtemp(join(process.env.AIXCL_BENCH_DIR ?? tmpdir(), 'aixcl-bench-'));
  try {
    await makeBlobs(join(root, 'live'), sizes, 'first');
    await makeBlobs(join(root, 'more'), moreSizes, 'second');
    let missed = 0;
    for (const line of lines(root)) {
      if (wanted.length > 0 && !wanted.some((name) => line.name.includes(name))) continue;
      missed += await measure({ ...line, gateBytes }, Math.max(3, Math.round(wantedRuns / 5)));
    }
    return missed;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function lines(root: string): Omit<Line, 'gateBytes'>[] {
  const [live, more, back] = [join(root, 'live'), join(root, 'more'), join(root, 'back')];
  const [vault, copy, tar, repo] = ['vault', 'copy', 'copy.tar', 'repo'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  const clear = async () => {
    for (const path of [vault, copy, tar, repo, back]) await rm(path, { recursive: true, force: true });
    await runCommand('sync', []);
  };
  const after =
    (...commands: (readonly [string, ...string[]])[]) =>
    async () => {
      await clear();
      for (const [program, ...args] of commands) await runCommand(program, args);
      await runCommand('sync', []);
    };
  const ours = (work: string, folder: string, before: () => Promise<void>): Side => ({
    name: 'vault',
    command: workOf(work, vault, folder),
    before,
  });
  const shell = (name: string, text: string, before: () => Promise<void>): Side => ({
    name,
    command: ['sh', '-ec', text],
    before,
  });
  const restic = ['restic', '--quiet', '--repo', repo, '--no-cache'] as const;
  const init = [...restic, 'init'] as const;
  const saved = after(workOf('backup', vault, live));
  const kept = after([...init], [...restic, 'backup', live]);
  const firstBackup = ours('backup', live, clear);
  return [
    {
      name: 'vault first backup, cp',
      ours: firstBackup,
      theirs: shell(
        'cp + fsync + sha256sum',
        `cp -r ${live} ${copy}; sync ${copy}/* ${copy} ${root}; cd ${copy}; sha256sum * >/dev/null`,
        clear,
      ),
      aim: 1 / 1.2,
    },
    {
      name: 'vault first backup, tar',
      ours: firstBackup,
      theirs: shell(
        'tar + fsync + tar --compare',
        `tar -cf ${tar} -C ${root} live; sync ${tar} ${root}; tar --compare -f ${tar} -C ${root}`,
        clear,
      ),
    },
    {
      name: 'vault first backup, restic',
      ours: firstBackup,
      theirs: {
        name: 'restic backup',
        command: [...restic, 'backup', live],
        before: after([...init]),
      },
      aim: 1 / 2,
    },
    {
      name: 'vault unchanged rerun',
      ours: ours('backup', live, saved),
      theirs: { name: 'restic backup', command: [...restic, 'backup', live], before: kept },
      atMostMs: gateMs.rerun,
    },
    {
      name: 'vault one model more',
      ours: ours('backup', more, saved),
      theirs: { name: 'restic backup', command: [...restic, 'backup', more], before: kept },
    },
    {
      name: 'vault verify',
      ours: ours('verify', live, saved),
      theirs: { name: 'restic check', command: [...restic, 'check', '--read-data'], before: kept },
    },
    {
      name: 'vault restore',
      ours: ours('restore', back, saved),
      theirs: shell(
        'restic restore + fsync',
        `${restic.join(' ')} restore latest --target ${back} --verify; sync -f ${back}`,
        kept,
      ),
    },
    {
      name: 'vault remove, same disk',
      ours: ours('remove', join(root, 'going'), async () => {
        await clear();
        await linkAll(live, join(root, 'going'));
        await runCommand('sync', []);
      }),
      atMostMs: gateMs.remove,
    },
  ];
}

/** Its compression is off, as weights do not compress. */
const resticEnvironment = { RESTIC_PASSWORD: 'bench', RESTIC_COMPRESSION: 'off' };

function workOf(...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, join(dirname(process.argv[1] as string), 'vault-work.mjs'), ...args];
}

/** Blobs that are the same in every run, each called by its hash. */
async function makeBlobs(folder: string, of: readonly number[], seed: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [at, size] of of.entries()) {
    const key = createHash('sha256').update(`${seed} ${at}`).digest();
    const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
    const hash = createHash('sha256');
    const zeros = Buffer.alloc(4 * 2 ** 20);
    const temporary = join(folder, 'new');
    const handle = await open(temporary, 'w');
    for (let done = 0; done < size; done += zeros.length) {
      const chunk = cipher.update(zeros.subarray(0, Math.min(zeros.length, size - done)));
      hash.update(chunk);
      await handle.write(chunk);
    }
    await handle.sync();
    await handle.close();
    await rename(temporary, join(folder, hash.digest('hex')));
  }
}

/** The same files under other names, as they may go. */
async function linkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await link(join(from, name), join(to, name));
}
