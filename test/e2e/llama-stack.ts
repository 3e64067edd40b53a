import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { type Aixcl, aixcl, dockerApi, makeHome, resetEngine, type TestHome } from '../setup/engine-test.ts';

/** Two models that answer with different sentences. */
export const sentences = { 'a.gguf': 'I am model A.', 'b.gguf': 'I am model B.' } as const;

/** A home whose models directory holds `a.gguf` and `b.gguf`, on an empty engine. */
export async function homeWithModels(
  models: Readonly<Record<string, string>> = sentences,
): Promise<TestHome> {
  await resetEngine();
  const home = await makeHome();
  await mkdir(home.models);
  for (const [name, sentence] of Object.entries(models))
    await writeSelfTestModel(join(home.models, name), sentence);
  return home;
}

/** Runs `aixcl` and throws with its stderr when it does not exit with 0. */
export async function ok(home: TestHome, ...args: string[]): Promise<Aixcl> {
  const outcome = await aixcl(args, { home });
  if (outcome.code !== 0)
    throw new Error(`aixcl ${args.join(' ')} exited with ${outcome.code}: ${outcome.stderr}`);
  return outcome;
}

/** Name of the model that llama-server lists; undefined while it answers nothing. */
export async function servedModel(home: TestHome): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${home.ports.llamaServer}/v1/models`, {
      signal: AbortSignal.timeout(2000),
    });
    const body = (await response.json()) as { data?: { id: string }[] };
    return body.data?.[0]?.id;
  } catch {
    return undefined;
  }
}

/** What llama-server answers to a question. */
export async function answerOf(home: TestHome): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${home.ports.llamaServer}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], max_tokens: 32 }),
  });
  const body = (await response.json()) as { choices: { message: { content: string } }[] };
  return body.choices[0]?.message.content.trim() ?? '';
}

/** Waits until `model` is served; throws after `ms` with what was served instead. */
export async function untilServed(home: TestHome, model: string, ms = 15_000): Promise<void> {
  let served: string | undefined;
  for (const deadline = Date.now() + ms; Date.now() < deadline; await delay(100)) {
    served = await servedModel(home);
    if (served === model) return;
  }
  throw new Error(`${model} was not served within ${ms} ms, but ${served ?? 'nothing'}`);
}

/** One of the files by which the models directory says what is active. */
export function modelsFile(home: TestHome, name: string): Promise<string> {
  return readFile(join(home.models, name), 'utf8');
}

export function writeModelsFile(home: TestHome, name: string, content: string): Promise<void> {
  return writeFile(join(home.models, name), content);
}

/** `NAME STATE` of every container on the engine, sorted. */
export async function containers(): Promise<string[]> {
  const all = await dockerApi().listContainers({ all: true });
  return all.map(({ Names, State }) => `${Names[0]?.slice(1)} ${State}`).sort();
}
