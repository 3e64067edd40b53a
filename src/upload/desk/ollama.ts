import { setTimeout as delay } from 'node:timers/promises';
import { ollamaApi } from '../../adapters/ollama/api/api.ts';
import { isOnNetwork } from '../../adapters/service-probe.ts';
import { AixclError, reasonOf } from '../../errors.ts';
import type { ListedModel, OllamaDetails, OllamaRuntime } from '../../models/ollama/runtime.ts';
import type { PageService } from '../api.ts';

export interface SeenOllama {
  readonly service: PageService;
  readonly models: readonly SeenOllamaModel[];
}

export interface SeenOllamaModel extends ListedModel {
  readonly contextLength: number | null;
}

/** Before it answered for the first time. */
export const unaskedOllama: SeenOllama = {
  service: { name: 'ollama', health: 'loading', detail: 'it is being asked' },
  models: [],
};

const stoppedOllama: SeenOllama = {
  service: { name: 'ollama', health: 'stopped', detail: null },
  models: [],
};

const patience = { silenceMs: 5000, probeMs: 1000 };
/** Ollama reads the header of a model's weights for its details; a list is shown without those that take longer than this, in milliseconds. */
const detailsMs = 500;

/** Looks at the Ollama at `address`, by its API; never throws. */
export function ollamaLook(address: string): () => Promise<SeenOllama> {
  const api = ollamaApi(address, patience);
  const details = new Details(api);
  return async () => {
    const known = await isOnNetwork(address);
    if (known === false) return stoppedOllama;
    try {
      const [version, listed] = await Promise.all([api.version(), api.list()]);
      await Promise.race([details.learn(listed), delay(detailsMs, undefined, { ref: false })]);
      return {
        service: { name: 'ollama', health: 'healthy', detail: version || null },
        models: listed.map((model) => {
          const { contextLength, quantization } = details.of(model);
          return { ...model, contextLength, quantization: model.quantization ?? quantization };
        }),
      };
    } catch (error) {
      const isAbsent = known === null && error instanceof AixclError && error.code === 'notRunning';
      if (isAbsent) return stoppedOllama;
      return { service: { name: 'ollama', health: 'unhealthy', detail: reasonOf(error) }, models: [] };
    }
  };
}

/** What Ollama's list leaves out. */
type Asked = Pick<OllamaDetails, 'contextLength' | 'quantization'>;

const nothingTold: Asked = { contextLength: null, quantization: null };

/** Asked for once a model, one after the other. */
class Details {
  readonly #api: Pick<OllamaRuntime, 'show'>;
  readonly #known = new Map<string, Asked>();
  #learning: Promise<void> | undefined;

  constructor(api: Pick<OllamaRuntime, 'show'>) {
    this.#api = api;
  }

  of(model: ListedModel): Asked {
    return this.#known.get(keyOf(model)) ?? nothingTold;
  }

  learn(models: readonly ListedModel[]): Promise<void> {
    this.#learning ??= this.#ask(models).finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  async #ask(models: readonly ListedModel[]): Promise<void> {
    const keys = new Set(models.map(keyOf));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const model of models) {
      if (!this.#known.has(keyOf(model))) this.#known.set(keyOf(model), await this.#detailsOf(model));
    }
  }

  async #detailsOf({ name }: ListedModel): Promise<Asked> {
    try {
      const { contextLength, quantization } = await this.#api.show(name);
      return { contextLength, quantization };
    } catch {
      // Of one that Ollama can't read, as it says itself when it is asked for.
      return nothingTold;
    }
  }
}

function keyOf({ name, digest }: ListedModel): string {
  return `${name} ${digest}`;
}
