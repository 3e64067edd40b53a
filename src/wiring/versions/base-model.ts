import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hashFile } from '../../adapters/vault/hashing.ts';
import { AixclError, systemCode } from '../../errors.ts';
import { type Found, lookUp } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import { keepersOf } from '../keepers.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';

/**
 * The model that something was trained on: `named` by the user, or else by the adapter itself. Its digest is that of a GGUF of one file, or of an
 * Ollama model's manifest; null where it is not here.
 */
export async function baseModel(
  context: Surroundings,
  named: string | null,
  byAdapter: string | null,
): Promise<{ readonly name: string; readonly digest: string | null } | null> {
  const name = named ?? byAdapter;
  if (name === null) return null;
  const digest = await digestOfModel(context, name);
  if (digest === null && named !== null) {
    context.out.warn(`the digest of the base model ${quoted(named)} is not known, as it is not here`);
  }
  return { name, digest };
}

async function digestOfModel(context: Surroundings, name: string): Promise<string | null> {
  const found = await known(async () => await lookUp(await keepersOf(context), name));
  if (found) return await digestOfKept(context, found);
  if (!name.endsWith('.gguf')) return null;
  return await known(async () => {
    const { size } = await stat(resolve(name));
    const { digest } = await working(context, `Hashing ${quoted(name)}`, size, (options) =>
      hashFile(resolve(name), options),
    );
    return digest;
  });
}

async function digestOfKept(context: Surroundings, { keeper, model }: Found): Promise<string | null> {
  const [first, ...more] = model.files;
  if (!first || (keeper.runtime === 'llama-server' && more.length > 0)) return null;
  if (first.digest !== null) return first.digest;
  const label = `Hashing ${quoted(model.subject.name)}`;
  const wrong = await working(context, label, model.size, (options) => keeper.verify(model, options));
  if (wrong.length > 0) return null;
  return (await keeper.find(model.subject.name))?.files[0]?.digest ?? null;
}

/** Null for whatever can't be found out: what is recorded of a base model keeps nobody from making a version. */
async function known<T>(look: () => Promise<T | undefined>): Promise<T | null> {
  try {
    return (await look()) ?? null;
  } catch (error) {
    if (error instanceof AixclError && !['interrupted', 'terminated'].includes(error.code)) return null;
    if (systemCode(error) !== undefined) return null;
    throw error;
  }
}
