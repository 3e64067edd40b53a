import { AixclError } from '../../../errors.ts';
import { quoted } from '../../../models/model-name.ts';
import type { Runtime } from '../../../models/source.ts';

/** `--runtime`. */
export function runtimeOf(value: unknown): Runtime | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  if (last === undefined || last === 'ollama' || last === 'llama-server') return last;
  throw new AixclError('usage', `${quoted(String(last))} is no runtime`, {
    hint: '--runtime ollama|llama-server',
  });
}
