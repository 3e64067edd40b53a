import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ownershipOf } from '../adapters/durable.ts';
import { HelperHands } from '../adapters/helper-hands.ts';
import { absentOllama, stoppedOllama, unreachableStore } from '../adapters/ollama/absent.ts';
import { ollamaApi } from '../adapters/ollama/api/api.ts';
import { containedOllama } from '../adapters/ollama/contained.ts';
import { type LocatedOllama, locateOllama, type OllamaLocation } from '../adapters/ollama/locate.ts';
import { DirectoryStore } from '../adapters/ollama/store/directory-store.ts';
import { DirectoryWriter } from '../adapters/ollama/store/directory-writer.ts';
import { EngineStore } from '../adapters/ollama/store/engine-store.ts';
import { PartlyClosedStore } from '../adapters/ollama/store/partly-closed-store.ts';
import { proofsBy } from '../adapters/ollama/store/proofs.ts';
import { writable } from '../adapters/ollama/store/writable.ts';
import { Layout } from '../adapters/vault/layout.ts';
import { Receipts } from '../adapters/vault/receipts.ts';
import { AixclError } from '../errors.ts';
import { OllamaKeeper } from '../models/ollama/keeper.ts';
import type { OllamaRuntime } from '../models/ollama/runtime.ts';
import type { OllamaStore } from '../models/ollama/store.ts';
import type { Engine } from '../stack/engine.ts';
import { imagesAtHand } from '../stack/volumes/images-at-hand.ts';
import type { Hands } from '../vault/hands.ts';
import type { Surroundings } from './surroundings.ts';

/** Ollama as this command finds it. */
export interface Ollama {
  /** Refuses everything with `notRunning` while Ollama does not run, with `engineUnreachable` while nobody can say whether it does. */
  readonly runtime: OllamaRuntime;
  readonly store: OllamaStore;
  readonly keeper: OllamaKeeper;
  readonly service: {
    /** Its container's name; null when there is none. */
    readonly container: string | null;
    readonly running: boolean;
    readonly address: string | null;
  };
  /** For helper containers, the likeliest first. */
  readonly images: readonly string[];
}

const known = new WeakMap<Surroundings, Promise<Ollama>>();

/** Found once a command: where it runs and where its models lie. Works, as far as the disk goes, while the engine is off. */
export function ollamaOf(context: Surroundings): Promise<Ollama> {
  const found = known.get(context) ?? find(context);
  known.set(context, found);
  return found;
}

async function find(context: Surroundings): Promise<Ollama> {
  const [engine, definition] = await Promise.all([engineOrWhy(context), context.definition()]);
  const { home, env, signal } = context;
  const located = await locateOllama({ engine, definition, home, env });
  const { container, address } = located;
  const running = address !== undefined;
  const runtime = running ? answering(engine, located, address) : absent(engine, located);
  const images = imagesAtHand(definition, { first: container ? [container.imageId] : [] });
  const store = await storeAt(context, located.location, images);
  return {
    runtime,
    store,
    keeper: new OllamaKeeper({ store, api: runtime, signal }),
    service: { container: container?.name ?? null, running, address: address ?? null },
    images,
  };
}

async function engineOrWhy(context: Surroundings): Promise<Engine | AixclError> {
  try {
    return await context.engine();
  } catch (error) {
    if (error instanceof AixclError && error.code === 'engineUnreachable') return error;
    throw error;
  }
}

function answering(
  engine: Engine | AixclError,
  { container }: LocatedOllama,
  address: string,
): OllamaRuntime {
  const runtime = ollamaApi(address);
  if (engine instanceof AixclError || !container) return runtime;
  return containedOllama(runtime, engine, container.id);
}

function absent(engine: Engine | AixclError, located: LocatedOllama): OllamaRuntime {
  return engine instanceof AixclError ? absentOllama(engine) : stoppedOllama(whyStopped(located));
}

function whyStopped({ container }: LocatedOllama): string {
  if (!container) return 'Ollama does not run: it has no container';
  if (container.state === 'running') return `${container.name} publishes no port that Ollama answers at`;
  return `Ollama does not run: its container ${container.name} is ${container.state}`;
}

/** A store at this place, read and written as far as this user may. `images`: for helper containers, the likeliest first. */
export async function storeAt(
  context: Surroundings,
  location: OllamaLocation,
  images: readonly string[],
): Promise<OllamaStore> {
  const { home, signal } = context;
  switch (location.kind) {
    case 'unreachable':
      return unreachableStore(location.place, location.why);
    case 'engine': {
      const engine = await context.engine();
      return new EngineStore({ ...location, engine, home: home.root, images, signal });
    }
    case 'directory': {
      const { models } = location;
      const proofs = proofsBy(await receiptsOf(context));
      const byEngine = () => throughHelper(context, models, images);
      const directory = new DirectoryStore({
        models,
        proofs,
        writer: async (operation, aborted) => {
          if (await writable(models)) return DirectoryWriter.open(models, operation, proofs);
          return (await byEngine()).write(operation, aborted);
        },
      });
      return new PartlyClosedStore(directory, byEngine);
    }
  }
}

/** A folder some of whose files belong to another user, by a helper that may read and write them. */
async function throughHelper(
  context: Surroundings,
  models: string,
  images: readonly string[],
): Promise<EngineStore> {
  const { home, signal } = context;
  const engine = await context.engine();
  const there = existsSync(models);
  const path = there ? models : dirname(models);
  const mount = { kind: 'folder', path, below: there ? '' : basename(models) } as const;
  return new EngineStore({
    engine,
    place: models,
    container: undefined,
    mount,
    home: home.root,
    images,
    signal,
  });
}

async function receiptsOf({ home }: Surroundings): Promise<Receipts> {
  const owner = existsSync(home.models) ? await ownershipOf(home.models) : undefined;
  return new Receipts(new Layout(home.vault).receipts, owner);
}

/** More rights than this process has, by a helper container on this command's engine; see `vaultOf`. */
export async function handsOf(context: Surroundings): Promise<Hands> {
  const { home, signal } = context;
  const [engine, { store, images }] = await Promise.all([context.engine(), ollamaOf(context)]);
  const folders = [home.root, home.models, home.vault, home.ollama, store.place].filter(
    (path) => path.startsWith('/') && existsSync(path),
  );
  return new HelperHands({ engine, home: home.root, operation: 'hands', images, folders, signal });
}
