import { AixclError } from '../errors.ts';
import { resolveHome } from '../home.ts';
import type { Surroundings } from '../wiring/surroundings.ts';
import { PageDesk } from './desk/desk.ts';
import type { Desk, Receiving } from './desk.ts';

type Environment = Surroundings['env'];

/** Seconds that the page waits for another aixcl that is at work. */
const patience = 5;

/**
 * What work has around it in the page's container: the home that its environment names, and no engine. `signal`: aborted when the page is to
 * stop; `warn`: told what is not right beside the work.
 */
export function pageSurroundings(
  env: Environment,
  { signal, warn }: { readonly signal: AbortSignal; readonly warn: (line: string) => void },
): Surroundings {
  const noEngine = async (): Promise<never> => {
    throw new AixclError('engineUnreachable', 'the page has no way to the Docker engine', {
      hint: 'Run aixcl in a terminal of this machine.',
    });
  };
  return {
    env,
    home: resolveHome(env),
    signal,
    flags: { dryRun: false, waitLock: patience },
    out: { warn },
    progress: { start: () => ({ update() {}, succeed() {}, fail() {} }) },
    engineless: true,
    engine: noEngine,
    definition: noEngine,
  };
}

/** The models and snapshots behind the page. `version`: of aixcl. */
export function createDesk(
  surroundings: Surroundings,
  { receiving, version }: { readonly receiving: Pick<Receiving, 'list'>; readonly version: string },
): Desk {
  const { OLLAMA_URL, LLAMA_SERVER_URL } = surroundings.env;
  return new PageDesk({
    surroundings,
    receiving,
    version,
    addresses: {
      ollama: OLLAMA_URL || 'http://127.0.0.1:11434',
      llamaServer: LLAMA_SERVER_URL || 'http://127.0.0.1:8080',
    },
  });
}
