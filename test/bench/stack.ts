import { rmSync } from 'node:fs';
import { access, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateEngine } from '../setup/engines.ts';
import { runProcess } from '../setup/process.ts';
import { variables } from '../setup/variables.ts';
import type { Comparison, Side } from './compare.ts';
import { program } from './start-up.ts';

const file = join(process.cwd(), 'test', 'bench', 'five-services.yaml');

/**
 * Commands on a stack against the same of `docker compose`, run as a plugin of the `docker` client as users have it, on the same file and
 * engine. Each side has a project of its own. Empty, and says so, where there is no engine or no Compose.
 */
export async function stack(runs: number): Promise<Comparison[]> {
  const composeProgram = process.env[variables.compose];
  if (!composeProgram) {
    process.stdout.write(
      `stack: not measured, there is no Compose here (${process.env[variables.obstacle]})\n`,
    );
    return [];
  }
  const engine = privateEngine(Number(process.env[variables.slot]));
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const plugins = join(folder, 'client', 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  await access(composeProgram);
  await symlink(composeProgram, join(plugins, 'docker-compose'));
  const env = {
    AIXCL_HOME: join(folder, 'home'),
    DOCKER_HOST: engine.host,
    DOCKER_CONFIG: join(folder, 'client'),
    BENCH_IMAGE: process.env[variables.llamaImage],
  };
  const aixcl = (args: string[], rest: Partial<Side> = {}): Side => {
    const command = [process.execPath, program, '-f', file, '-p', 'bench-aixcl', ...args] as const;
    return { name: `aixcl ${args.join(' ')}`, command: [...command], env, ...rest };
  };
  const compose = (args: string[], rest: Partial<Side> = {}): Side => {
    const command = ['docker', 'compose', '-f', file, '-p', 'bench-compose', ...args] as const;
    return { name: `docker compose ${args.join(' ')}`, command: [...command], env, ...rest };
  };
  const run = async ({ command: [name, ...args] }: Side) => {
    const { code, stderr } = await runProcess(name, args, { env: { ...process.env, ...env } });
    if (code !== 0) throw new Error(`${name} ${args.join(' ')}: exit ${code}\n${stderr}`);
  };
  const standing = once(async () => {
    await run(aixcl(['stack', 'start', '--yes']));
    await run(compose(['up', '--detach']));
  });
  const nothing = () => engine.reset();
  return [
    {
      name: 'stack status, five services',
      runs,
      aim: 1,
      ours: aixcl(['stack', 'status'], { before: standing }),
      theirs: compose(['ps'], { before: standing }),
    },
    {
      name: 'stack start, nothing to do',
      runs,
      aim: 1,
      ours: aixcl(['stack', 'start', '--yes'], { before: standing }),
      theirs: compose(['up', '--detach'], { before: standing }),
    },
    {
      name: 'stack start, five services, cold',
      runs: Math.max(5, Math.round(runs / 3)),
      aim: 1.1,
      ours: aixcl(['stack', 'start', '--yes'], { before: nothing }),
      theirs: compose(['up', '--detach'], { before: nothing }),
    },
  ];
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
