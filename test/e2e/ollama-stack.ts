import {
  type Aixcl,
  aixcl,
  describeEngine,
  makeHome,
  ollamaImages,
  resetEngine,
  type TestHome,
} from '../setup/engine-test.ts';

export interface OllamaHome extends TestHome {
  /** Runs aixcl and expects exit code 0. */
  ok(...args: string[]): Promise<Aixcl>;
}

/** Runs a suite with the stand-in for Ollama and, where a user named its image, with the real one. */
export function describeWithOllama(
  title: string,
  suite: (ollamaHome: () => Promise<OllamaHome>) => void,
): void {
  for (const { who, image } of ollamaImages()) {
    describeEngine(`${title}: ${who}`, () => suite(async () => runningHome(await image())));
  }
}

/** A home whose Ollama runs, on an engine with nothing else. */
async function runningHome(image: string): Promise<OllamaHome> {
  await resetEngine();
  const home = await makeHome({ ollama: image });
  const ok = async (...args: string[]): Promise<Aixcl> => {
    const outcome = await aixcl(args, { home });
    if (outcome.code === 0) return outcome;
    throw new Error(`aixcl ${args.join(' ')} ended with ${outcome.code}:\n${outcome.stderr}`);
  };
  try {
    await ok('stack', 'start', 'ollama');
  } catch (error) {
    await home[Symbol.asyncDispose]();
    throw error;
  }
  return { ...home, ok, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

/** Steps of the `result` among what was printed: kind, target, outcome. */
export function stepsOf({ json }: Aixcl): string[] {
  const result = json.find(({ type }) => type === 'result');
  const steps = (result?.steps ?? []) as { kind: string; target: string; outcome: string }[];
  return steps.map(({ kind, target, outcome }) => `${kind} ${target} ${outcome}`);
}
