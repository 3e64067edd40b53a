import { open } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import { GgufProblem } from '../../models/gguf/header.ts';
import { type Inspected, inspectGguf } from '../../models/gguf/inspect.ts';
import { quoted } from '../../models/model-name.ts';

/** Structure of the GGUF file at `path`, called `name` in errors; throws `verification` when it is none. `thorough` asks the library too. */
export async function inspectFile(
  path: string,
  name: string,
  options: { thorough: boolean },
): Promise<Inspected> {
  await using handle = await open(path);
  try {
    return await inspectGguf(await fileSource(handle), options);
  } catch (error) {
    if (error instanceof GgufProblem) throw notAModel(name, error);
    throw error;
  }
}

export function notAModel(name: string, problem: GgufProblem): AixclError {
  return new AixclError('verification', `${quoted(name)} is not a whole GGUF model: ${problem.message}`, {
    hint: 'Get the file again from where it came from.',
    cause: problem,
  });
}
