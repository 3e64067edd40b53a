import { AixclError } from '../../errors.ts';
import type { OllamaRuntime } from '../../models/ollama/runtime.ts';
import type { Engine } from '../../stack/engine.ts';

/**
 * An Ollama that is reached through an engine's proxy, which goes with the engine: where it does not answer, or breaks off, and its engine does
 * not answer either, that is the reason that is given.
 */
export function containedOllama(
  runtime: OllamaRuntime,
  engine: Pick<Engine, 'inspectContainer'>,
  container: string,
): OllamaRuntime {
  const reason = async (error: unknown): Promise<unknown> => {
    if (!(error instanceof AixclError) || !['notRunning', 'unexpected'].includes(error.code)) return error;
    return engine.inspectContainer(container).then(
      () => error,
      (why: unknown) => (why instanceof AixclError && why.code === 'engineUnreachable' ? why : error),
    );
  };
  const told = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw await reason(error);
    }
  };
  return {
    address: runtime.address,
    version: () => told(runtime.version()),
    names: () => told(runtime.names()),
    digests: () => told(runtime.digests()),
    list: () => told(runtime.list()),
    show: (name) => told(runtime.show(name)),
    async *pull(name, options) {
      try {
        yield* runtime.pull(name, options);
      } catch (error) {
        throw await reason(error);
      }
    },
    delete: (name) => told(runtime.delete(name)),
    copy: (source, target) => told(runtime.copy(source, target)),
  };
}
