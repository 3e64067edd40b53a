import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { AixclError } from '../errors.ts';
import { cacheFolder, resolveHome } from '../home.ts';
import type { StackDefinition } from '../stack/definition/types.ts';
import type { Engine } from '../stack/engine.ts';
import { chooseGpu, type Gpu, type GpuWish } from '../stack/gpu.ts';
import { confirm } from './confirm.ts';
import type { Context, GlobalFlags } from './context.ts';
import { environment } from './environment.ts';
import { paintFor } from './output/paint.ts';
import { Printer } from './output/printer.ts';
import { progressFor, progressMode } from './output/progress.ts';

export interface App extends Context {
  /** Takes what is shown of running work off the screen. */
  close(): void;
}

/** Wires the adapters to the domain. Whatever a command does not need is not loaded. */
export async function createApp(flags: GlobalFlags, signal: AbortSignal): Promise<App> {
  const env = await environment(flags);
  const home = resolveHome(env);
  // Libraries that ask questions or show progress look at it when they are loaded.
  if (flags.color === false) process.env.NO_COLOR = '1';
  // By number: to open a stream takes longer than to ask what it is.
  const [stdout, stderr] = [{ isTTY: isatty(1) }, { isTTY: isatty(2) }];
  const mode = progressMode(flags.progress, stderr.isTTY ? process.stderr : stderr);
  const progress = progressFor(mode, () => process.stderr);
  const isTerminal = isatty(0) && stderr.isTTY;
  const ownStack = flags.files.length === 0 && flags.projectName === undefined;

  const engine = once<Engine>(async () => {
    const { connect } = await import('../adapters/docker/connect.ts');
    return connect({ host: flags.host, context: flags.context, env: process.env });
  });
  const gpu = once<Gpu>(async () => {
    const { hostGpu } = await import('../adapters/host-facts.ts');
    return chooseGpu(gpuWish(flags.gpu ?? env.AIXCL_GPU), hostGpu(), async () => (await engine()).info());
  });
  const reloadDefinition = async (): Promise<StackDefinition> => {
    const { loadDefinition } = await import('../stack/definition/load.ts');
    const { homeVariables } = await import('../adapters/home-folder.ts');
    const loaded = await loadDefinition({
      files: flags.files.length > 0 ? flags.files : await ownFiles(home.overlayFile, gpu),
      overrideFile: flags.files.length > 0 ? undefined : home.overrideFile,
      projectName: flags.projectName,
      profiles: flags.profiles,
      env: { ...env, ...(await homeVariables(home, env)) },
      cacheFolder: join(cacheFolder(env), 'definition'),
    });
    for (const warning of loaded.warnings ?? []) out.warn(warning);
    return loaded;
  };
  const out = new Printer(
    flags.format,
    process,
    await paintFor(stdout, process.env, flags.color),
    await paintFor(stderr, process.env, flags.color),
    mode === 'quiet',
  );
  return {
    flags,
    env,
    home,
    signal,
    out,
    progress,
    ownStack,
    isTerminal,
    confirm: (question) => confirm(question, { yes: flags.yes, interactive: isTerminal, signal }),
    engine,
    definition: once(reloadDefinition),
    reloadDefinition,
    gpu,
    close: () => progress.stop(),
  };
}

/** Folder with the Compose files and scripts that come with aixcl. */
export function servicesFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'services', 'compose.yaml'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new AixclError('unexpected', 'the folder services/ of this installation is missing');
    folder = parent;
  }
  return join(folder, 'services');
}

async function ownFiles(overlayFile: string, gpu: () => Promise<Gpu>): Promise<string[]> {
  const folder = servicesFolder();
  const { given } = await gpu();
  const overlays = given ? [join(folder, `compose.${given}.yaml`)] : [];
  return [join(folder, 'compose.yaml'), ...overlays, ...(existsSync(overlayFile) ? [overlayFile] : [])];
}

function gpuWish(text: string | undefined): GpuWish {
  if (text === undefined || text === '' || text === 'auto') return 'auto';
  if (text === 'none' || text === 'nvidia' || text === 'amd') return text;
  throw new AixclError('usage', `"${text}" is no GPU that aixcl knows`, {
    hint: '--gpu auto|none|nvidia|amd',
  });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
