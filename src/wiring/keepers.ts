import { directoryKeeper } from '../adapters/folders/keeper.ts';
import { ggufKeeper } from '../adapters/models-directory/keeper.ts';
import type { Keeper } from '../models/keeper.ts';
import type { Subject } from '../vault/subject.ts';
import type { Surroundings } from './surroundings.ts';
import { vaultOf } from './vault.ts';

/** Those who keep models, or the one of `runtime`. Nothing is asked of an engine that can't be reached. */
export async function keepersOf(
  context: Surroundings,
  runtime?: Exclude<Subject['runtime'], 'directory' | 'volume'>,
): Promise<readonly Keeper[]> {
  const keepers: Keeper[] = [];
  if (runtime !== 'llama-server') keepers.push(await keeperOf(context, 'ollama'));
  if (runtime !== 'ollama') keepers.push(await keeperOf(context, 'llama-server'));
  return keepers;
}

export async function keeperOf(context: Surroundings, runtime: Subject['runtime']): Promise<Keeper> {
  const { home } = context;
  if (runtime === 'ollama') {
    const { ollamaOf } = await import('./ollama.ts');
    return (await ollamaOf(context)).keeper;
  }
  if (runtime === 'volume') {
    const { volumeKeeperOf } = await import('./volumes.ts');
    return volumeKeeperOf(context);
  }
  if (runtime === 'directory') return directoryKeeper({ home: home.root, vault: home.vault });
  const vault = vaultOf(context);
  return ggufKeeper(home.models, (digest) => vault.blobPath(digest));
}
