import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of one installation lies. All paths absolute. */
export interface Home {
  readonly root: string;
  /** GGUF models, served by llama-server at `/models`. */
  readonly models: string;
  /** Under the volume `ollama`: what the container sees as `/root/.ollama`. */
  readonly ollama: string;
  /** Snapshots (docs/vault.md). */
  readonly vault: string;
  /** What was changed here, when and by which command. */
  readonly journal: string;
  /** Read for interpolation by aixcl and by plain `docker compose`; aixcl writes its own keys only. */
  readonly envFile: string;
  /** What this home's stack differs in, as a Compose file that aixcl writes: data that `--adopt` took over, services left out. */
  readonly overlayFile: string;
  /** The user's own Compose file, merged last. */
  readonly overrideFile: string;
}

/**
 * Paths of the home that `env` names: `AIXCL_HOME`, else `$XDG_DATA_HOME/aixcl`, else `~/.local/share/aixcl`.
 * `env` is the process environment over the home's own `.env` file.
 */
export function resolveHome(env: Readonly<Record<string, string | undefined>>): Home {
  const root = homeRoot(env);
  return {
    root,
    models: env.AIXCL_MODELS_DIR ? resolve(env.AIXCL_MODELS_DIR) : join(root, 'models'),
    ollama: join(root, 'ollama'),
    vault: env.AIXCL_VAULT ? resolve(env.AIXCL_VAULT) : join(root, 'vault'),
    journal: join(root, 'journal'),
    envFile: join(root, '.env'),
    overlayFile: join(root, 'compose.home.yaml'),
    overrideFile: join(root, 'compose.override.yaml'),
  };
}

export function homeRoot(env: Readonly<Record<string, string | undefined>>): string {
  if (env.AIXCL_HOME) return resolve(env.AIXCL_HOME);
  if (env.XDG_DATA_HOME) return join(resolve(env.XDG_DATA_HOME), 'aixcl');
  return join(env.HOME || homedir(), '.local', 'share', 'aixcl');
}

/** Where things lie that can be made again: `$XDG_CACHE_HOME/aixcl`, else `~/.cache/aixcl`. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'aixcl');
}
