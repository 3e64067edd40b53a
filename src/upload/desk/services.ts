import { ollamaApi } from '../../adapters/ollama/api/api.ts';
import { type Probed, probeService } from '../../adapters/service-probe.ts';
import { AixclError, reasonOf } from '../../errors.ts';
import { type Activation, activeModel } from '../../models/active-model.ts';
import type { ListedModel, OllamaRuntime } from '../../models/ollama/runtime.ts';
import type { PageService } from '../api.ts';

/** Where the stack's services are to be had from here. */
export interface Addresses {
  /** `http://ollama:11434`. */
  readonly ollama: string;
  /** `http://llama-server:8080`. */
  readonly llamaServer: string;
}

export interface SeenServices {
  readonly llamaServer: Probed;
  readonly ollama: PageService;
  readonly models: readonly SeenOllamaModel[];
}

export interface SeenOllamaModel extends ListedModel {
  readonly contextLength: number | null;
}

export const unseenServices: SeenServices = {
  llamaServer: { kind: 'absent' },
  ollama: { name: 'ollama', health: 'stopped', detail: null },
  models: [],
};

/** Details are asked for once a model; of so many at most in one look. */
const askedAtOnce = 8;
/** Ollama reads the header of its weights for them. */
const patience = { silenceMs: 5_000, probeMs: 1_000 };

/** Looks at the services of the stack; never throws. */
export function serviceLook({ ollama, llamaServer }: Addresses): () => Promise<SeenServices> {
  const api = ollamaApi(ollama, patience);
  const contextLengths = new Map<string, number | null>();

  async function modelsOf(): Promise<SeenOllamaModel[]> {
    const listed = await api.list();
    const keys = new Set(listed.map(keyOf));
    for (const key of contextLengths.keys()) if (!keys.has(key)) contextLengths.delete(key);
    const unknown = listed.filter((model) => !contextLengths.has(keyOf(model))).slice(0, askedAtOnce);
    for (const model of unknown) contextLengths.set(keyOf(model), await contextLengthOf(api, model));
    return listed.map((model) => ({ ...model, contextLength: contextLengths.get(keyOf(model)) ?? null }));
  }

  return async () => {
    const [served, seen] = await Promise.all([
      probeService(llamaServer, '/health'),
      lookAtOllama(ollama, api, modelsOf),
    ]);
    return { llamaServer: served, ...seen };
  };
}

async function lookAtOllama(
  address: string,
  api: Pick<OllamaRuntime, 'version'>,
  modelsOf: () => Promise<SeenOllamaModel[]>,
): Promise<Pick<SeenServices, 'ollama' | 'models'>> {
  const probed = await probeService(address, '/api/version');
  if (probed.kind === 'absent') return { ollama: unseenServices.ollama, models: [] };
  try {
    const [version, models] = await Promise.all([api.version(), modelsOf()]);
    return { ollama: { name: 'ollama', health: 'healthy', detail: version || null }, models };
  } catch (error) {
    return { ollama: { name: 'ollama', health: 'unhealthy', detail: reasonOf(error) }, models: [] };
  }
}

function keyOf({ name, digest }: ListedModel): string {
  return `${name} ${digest}`;
}

async function contextLengthOf(api: OllamaRuntime, { name }: ListedModel): Promise<number | null> {
  try {
    return (await api.show(name)).contextLength;
  } catch (error) {
    if (error instanceof AixclError) return null;
    throw error;
  }
}

/** What llama-server's container is at: by its answer, and where there is none by what its entrypoint says. */
export function llamaServerHealth(probed: Probed, activation: Activation): PageService {
  const of = (health: PageService['health'], detail: string | null): PageService => ({
    name: 'llama-server',
    health,
    detail,
  });
  if (probed.kind === 'absent') return of('stopped', null);
  if (probed.kind === 'answers' && probed.status === 200) {
    return of('healthy', activeModel(activation) ?? null);
  }
  const { state } = activation;
  if (state?.phase === 'waiting') return of('waiting', state.reason ?? null);
  if (state?.phase === 'loading' || state?.phase === 'switching') return of('loading', state.model ?? null);
  if (probed.kind === 'answers' && probed.status === 503)
    return of('loading', activeModel(activation) ?? null);
  const why = probed.kind === 'silent' ? probed.why : `it answers with status ${probed.status}`;
  return of('unhealthy', state?.reason ?? why);
}
