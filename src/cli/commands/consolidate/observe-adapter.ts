import { basename } from 'node:path';
import { AixclError } from '../../../errors.ts';
import type { GgufHeader } from '../../../models/gguf/header.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import { ggufFilesOf, headerAt } from '../../../wiring/models/gguf-files.ts';
import { locate } from '../../../wiring/models/locate.ts';
import { observeVersion, type PlannedVersion } from '../../../wiring/versions/versioning.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateWish } from './wish.ts';

/** The adapter as it was found, and the version that is to be made of it. */
export interface AdapterSight {
  readonly planned: PlannedVersion;
  /** Absolute path of what the user named: a folder, or a GGUF file. */
  readonly path: string;
  /** What the built-in merge reads; null where a command of the user's merges. */
  readonly gguf: { readonly path: string; readonly header: GgufHeader } | null;
}

/** Throws `notFound`, `verification` for one that is not whole, `refused` for what can't be merged. */
export async function observeAdapter(context: Context, wish: ConsolidateWish): Promise<AdapterSight> {
  const found = await locate(context, wish.adapter, 'llama-server');
  const planned = await observeVersion(context, {
    subject: found,
    description: wish.description,
    trainingData: wish.trainingData,
    metrics: wish.metrics,
    evolution: wish.evolution,
    base: wish.base,
  });
  const gguf = await ggufAdapters(planned);
  const { subject } = found.model;
  const [only] = gguf;
  if (planned.adapter === null && !only) {
    throw new AixclError('refused', `${quoted(wish.adapter)} holds no adapter`, {
      hint: 'An adapter is adapter_config.json with adapter_model.safetensors, or a GGUF of the type adapter.',
    });
  }
  const path = subject.runtime === 'directory' ? subject.name : (ggufFilesOf(found)[0]?.path ?? '');
  if (wish.mergeCommand !== undefined) return { planned, path, gguf: null };
  if (!only) throw notConverted(path, planned);
  if (gguf.length > 1) {
    const names = gguf.map((each) => basename(each.path)).join(', ');
    throw new AixclError('refused', `${quoted(wish.adapter)} holds several adapters: ${names}`, {
      hint: `Name the one that is meant: --adapter ${shellWord(only.path)}`,
    });
  }
  return { planned, path, gguf: only };
}

async function ggufAdapters({ found }: PlannedVersion): Promise<NonNullable<AdapterSight['gguf']>[]> {
  const adapters = [];
  for (const { path } of ggufFilesOf(found)) {
    const header = await headerAt(path, { thorough: false });
    if (header.metadata.get('general.type') === 'adapter') adapters.push({ path, header });
  }
  return adapters;
}

function notConverted(path: string, { adapter }: PlannedVersion): AixclError {
  const method = adapter?.method && adapter.method !== 'LORA' ? ` (${adapter.method})` : '';
  return new AixclError(
    'refused',
    `${quoted(path)} is a PEFT adapter${method}, and the built-in merge reads GGUF`,
    {
      hint: `Convert it with llama.cpp: python3 convert_lora_to_gguf.py --outfile ${shellWord(`${path}/adapter.gguf`)} ${shellWord(path)}   and run this again; or merge it yourself: --merge-command CMD`,
    },
  );
}
