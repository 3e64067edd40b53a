import { readBase } from '../../../consolidate/base-model.ts';
import { AixclError } from '../../../errors.ts';
import { type Found, lookUp, shownSubject } from '../../../models/find-kept.ts';
import type { GgufHeader } from '../../../models/gguf/header.ts';
import { summarize } from '../../../models/gguf/summary.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { type GgufFile, headerAt, weightsOf } from '../../../wiring/models/gguf-files.ts';
import { locate } from '../../../wiring/models/locate.ts';
import type { Context } from '../../context.ts';

/** The model that something is to be merged into, as it was found. */
export interface BaseSight {
  readonly found: Found;
  /** Its shards, in order. */
  readonly files: readonly GgufFile[];
  readonly headers: readonly GgufHeader[];
  /** `Q8_0`, for people. */
  readonly quantization: string | null;
  readonly weights: number;
  readonly embeds: boolean;
}

/** Throws `notFound`, `verification` for one that is damaged, `refused` for what nothing can be merged into. */
export async function observeBase(context: Context, name: string): Promise<BaseSight> {
  const found = await findBase(context, name);
  const { model } = found;
  if (model.damage !== null) {
    throw new AixclError('verification', `the base ${quoted(name)} is damaged: ${model.damage}`, {
      hint:
        model.subject.runtime === 'directory'
          ? `ls -la ${shellWord(name)}`
          : `aixcl models verify ${shellWord(name)} --repair`,
    });
  }
  const files = await weightsOf(found);
  const headers: GgufHeader[] = [];
  for (const { path } of files) headers.push(await headerAt(path, { thorough: true }));
  const { embedsOnly } = readBase(headers);
  const summaries = headers.map(summarize);
  return {
    found,
    files,
    headers,
    quantization: summaries[0]?.quantization ?? null,
    weights: summaries.reduce((sum, { parameters }) => sum + parameters, 0),
    embeds: embedsOnly,
  };
}

async function findBase(context: Context, name: string): Promise<Found> {
  try {
    return await locate(context, name, 'llama-server');
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'notFound') throw error;
    throw (await ofOllama(context, name)) ?? error;
  }
}

async function ofOllama(context: Context, name: string): Promise<AixclError | undefined> {
  const found = await keeperOf(context, 'ollama')
    .then((keeper) => lookUp([keeper], name))
    .catch(() => undefined);
  if (!found) return undefined;
  return new AixclError(
    'refused',
    `${shownSubject(found.model.subject)} is a model of Ollama's, and adapters are merged into GGUF files`,
    {
      hint: `Get the same weights as a GGUF: aixcl models add --runtime llama-server hf.co/USER/REPO:F16; or copy the blob that ollama show --modelfile ${shellWord(name)} names to a file NAME.gguf`,
    },
  );
}
