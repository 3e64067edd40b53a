import { AixclError } from '../../errors.ts';
import type { OllamaRuntime } from '../../models/ollama/runtime.ts';
import type { OllamaStore } from '../../models/ollama/store.ts';

/** An Ollama that does not run. Another that listens at its port is never asked in its place. */
export function stoppedOllama(why: string): OllamaRuntime {
  return absentOllama(new AixclError('notRunning', why, { hint: 'aixcl service start ollama' }));
}

/** An Ollama of which nobody knows whether it runs, as what would tell does not answer: whatever is asked of it is `why`. */
export function absentOllama(why: AixclError): OllamaRuntime {
  const refuse = async (): Promise<never> => {
    throw why;
  };
  return {
    address: 'nowhere',
    version: refuse,
    names: refuse,
    digests: refuse,
    list: refuse,
    show: refuse,
    // biome-ignore lint/correctness/useYield: it fails before there is a line.
    async *pull() {
      throw why;
    },
    delete: refuse,
    copy: refuse,
  };
}

/** A store inside an engine that does not answer. */
export function unreachableStore(place: string, why: AixclError): OllamaStore {
  const refuse = async (): Promise<never> => {
    throw why;
  };
  return {
    place,
    distant: true,
    manifests: refuse,
    blobs: refuse,
    peek: refuse,
    open: refuse,
    write: refuse,
    space: async () => null,
  };
}
