import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { assertServable } from '../../../models/activate.ts';
import { activeModel } from '../../../models/active-model.ts';
import type { Model } from '../../../models/model.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import { journalled } from '../../../wiring/journalled.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { activateShown } from '../models/activate.ts';
import { addSources } from '../models/add.ts';

const selfTestName = 'aixcl-self-test.gguf';

/** A small real model: 135 million parameters, Apache-2.0. */
const smallModel = {
  name: 'SmolLM2-135M-Instruct-Q4_K_M.gguf',
  path: 'bartowski/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct-Q4_K_M.gguf',
};
const hubPatienceMs = 3000;

/** Sees to it that llama-server has a model: leaves the active one alone, else activates one that is here, else brings one in. */
export async function ensureModel(context: Context): Promise<void> {
  const directory = modelsDirectoryAt(context.home.models);
  const { models } = await directory.list();
  const active = activeModel(await directory.activation());
  if (models.some(({ name }) => name === active)) return;
  const here = models.find(isServable);
  const wanted = here?.name ?? (await bringIn(context));
  const model =
    here ?? (await modelsDirectoryAt(context.home.models).list()).models.find(({ name }) => name === wanted);
  if (!model) return;
  await journalled(
    context,
    { command: 'quickstart', targets: [model.name] },
    ({ operation: { step: note } }) => activateShown(context, directory, model, { again: false, note }),
  );
}

function isServable(model: Model): boolean {
  try {
    assertServable(model);
    return model.summary?.role === 'model';
  } catch {
    return false;
  }
}

async function bringIn(context: Context): Promise<string> {
  const quiet: Context = { ...context, out: { ...silent(context) } };
  const offer = context.flags.yes || !context.isTerminal ? undefined : await offeredModel(context);
  if (
    offer &&
    (await agreed(
      context,
      `There is no model yet. Download ${smallModel.name} (${bytes(offer.size)}) from ${offer.url.host}?`,
    ))
  ) {
    await addSources(quiet, [offer.url.href]);
    return smallModel.name;
  }
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-'));
  try {
    const path = join(folder, selfTestName);
    await writeSelfTestModel(path);
    await addSources(quiet, [path]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  context.out.note(
    `There was no model, so ${selfTestName} was made: it answers everything with one sentence.`,
  );
  return selfTestName;
}

/** The small model's address, where the Hub answers for it. */
async function offeredModel(context: Context): Promise<{ url: URL; size: number | undefined } | undefined> {
  const url = new URL(smallModel.path, `${context.env.HF_ENDPOINT || 'https://huggingface.co'}/`);
  try {
    const response = await fetch(url, {
      method: 'HEAD',
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(hubPatienceMs)]),
    });
    const size = Number(response.headers.get('content-length')) || undefined;
    return response.ok ? { url, size } : undefined;
  } catch {
    context.signal.throwIfAborted();
    return undefined;
  }
}

async function agreed(context: Context, question: string): Promise<boolean> {
  try {
    await context.confirm(question);
    return true;
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof Error && 'code' in error && error.code === 'refused') return false;
    throw error;
  }
}

/** The quickstart tells its own outcome; a step's is not data. */
function silent({ out }: Context): Context['out'] {
  return {
    list: async () => {},
    item: () => {},
    result: () => {},
    line: () => {},
    note: (line) => out.note(line),
    warn: (line) => out.warn(line),
    paint: out.paint,
  };
}
