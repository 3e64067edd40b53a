import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeNoisyModel } from '../../setup/noisy-model.ts';
import { aixcl, type Run, type RunOptions } from './aixcl.ts';

/** An AIXCL_HOME whose folders a test may put on disks of its own. Gone at the end of its `await using` scope. */
export interface FaultHome extends AsyncDisposable {
  readonly root: string;
  readonly models: string;
  readonly vault: string;
  /** What an Ollama has at `~/.ollama`. */
  readonly ollama: string;
  /** A folder beside the home, for what a test needs. */
  readonly scratch: string;
  /** Over the environment of every command here. */
  readonly env: Record<string, string>;
  /** Runs the built command line here, off a terminal, without an engine. */
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** As `run`; throws unless it ends with 0. */
  must(args: readonly string[], options?: RunOptions): Promise<Run>;
}

export interface HomePlaces {
  /** Absolute; else below the home. */
  readonly root?: string;
  readonly models?: string;
  readonly vault?: string;
}

export async function faultHome(places: HomePlaces = {}): Promise<FaultHome> {
  const scratch = await mkdtemp(join(tmpdir(), 'aixcl-fault-'));
  const root = places.root ?? join(scratch, 'home');
  const models = places.models ?? join(root, 'models');
  const vault = places.vault ?? join(root, 'vault');
  await mkdir(models, { recursive: true });
  const env: Record<string, string> = {
    AIXCL_HOME: root,
    HOME: scratch,
    ...(places.models && { AIXCL_MODELS_DIR: models }),
    ...(places.vault && { AIXCL_VAULT: vault }),
    DOCKER_HOST: `unix://${join(scratch, 'no-engine.sock')}`,
  };
  const run = (args: readonly string[], options: RunOptions = {}) =>
    aixcl(args, { ...options, env: { ...env, ...options.env } });
  return {
    root,
    models,
    vault,
    ollama: join(root, 'ollama'),
    scratch,
    env,
    run,
    async must(args, options) {
      const outcome = await run(args, options);
      if (outcome.code === 0) return outcome;
      throw new Error(
        `aixcl ${args.join(' ')} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`,
      );
    },
    [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }),
  };
}

/** Writes a GGUF that every check of structure passes, with so many bytes of noise; answers its sha256. `path` is new. */
export async function writeModel(path: string, seed: string, noise = 64 * 1024): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeNoisyModel(path, { sentence: `This is ${seed}.`, seed, noise });
  const { sha256Of } = await import('./oracle.ts');
  return sha256Of(path);
}
