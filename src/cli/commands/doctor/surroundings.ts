import type { StackDefinition } from '../../../stack/definition/types.ts';
import type { ContainerSummary, Engine, VolumeSummary } from '../../../stack/engine.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import type { VaultContents } from '../../../vault/vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { type StoreSight, sightOfOwnStore } from './store-sight.ts';

/** What several parts of an examination look at: asked for once, by whoever needs it first. */
export interface Surroundings {
  readonly context: Context;
  engine(): Promise<Engine>;
  definition(): Promise<StackDefinition>;
  containers(): Promise<readonly ContainerSummary[]>;
  /** Those of an engine that is this home's; throws `refused` where another home's stand there. */
  ownContainers(): Promise<readonly ContainerSummary[]>;
  volumes(): Promise<readonly VolumeSummary[]>;
  vault(): Promise<VaultContents>;
  /** Ollama's store of this home. */
  store(): Promise<StoreSight>;
}

export function surroundings(context: Context): Surroundings {
  const engine = once(() => context.engine());
  const containers = once(async () => (await engine()).listContainers());
  const volumes = once(async () => (await engine()).listVolumes());
  return {
    context,
    engine,
    definition: once(() => context.definition()),
    containers,
    ownContainers: once(async () => {
      const found = await containers();
      refuseOtherHome(found, context.home);
      return found;
    }),
    volumes,
    vault: once(() => vaultOf(context).contents()),
    store: once(() => sightOfOwnStore(context, volumes)),
  };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}
