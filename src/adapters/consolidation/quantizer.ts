import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseTypes, type QuantizationType } from '../../consolidate/quantization.ts';
import { AixclError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Engine } from '../../stack/engine.ts';
import { HelperContainer, HelperFailure } from '../helper-container.ts';
import type { HelperWish } from '../helper-spec.ts';

/** A `llama-quantize` in an image that is on the engine. */
export interface Quantizer {
  readonly image: string;
  readonly types: readonly QuantizationType[];
}

type Around = Pick<HelperWish, 'home' | 'operation' | 'signal'>;

/** Official images have their programs in /app, and not in the PATH. */
const withApp = 'PATH="$PATH:/app"';

/** The first of `images` that is on the engine and holds the tool; undefined when none does. */
export async function findQuantizer(
  engine: Engine,
  images: readonly string[],
  around: Around,
): Promise<Quantizer | undefined> {
  for (const image of images) {
    if (!(await engine.inspectImage(image))) continue;
    const help = await helpOf(engine, image, around);
    const types = parseTypes(help);
    if (types.length > 0) return { image, types };
  }
  return undefined;
}

async function helpOf(engine: Engine, image: string, around: Around): Promise<string> {
  await using helper = await HelperContainer.start(engine, { ...around, images: [image], mounts: [] });
  const script = `${withApp}; command -v llama-quantize && llama-quantize --help 2>&1 || true`;
  return await helper.run(script, [], around.signal);
}

export interface QuantizeWish extends Around {
  readonly image: string;
  /** Absolute. Of a model in shards, the first; the others lie beside it. */
  readonly input: string;
  /** Absolute, and not there yet; its folder is. */
  readonly output: string;
  readonly type: string;
  /** The input has quantized weights. */
  readonly again: boolean;
  /** Bytes that lie in `output` so far. */
  readonly onProgress: (written: number) => void;
}

const look = 500;
const evidenceLines = 12;
const script = `${withApp}; again=$4
exec llama-quantize \${again:+--allow-requantize} "/in/$1" "/out/$2" "$3" 2>&1`;

/**
 * Runs `llama-quantize` in a helper container that sees the folders of input and output alone, with this process's rights over them. Throws
 * `unexpected` with its last lines when it fails; what it left then may lie in `output`.
 */
export async function quantize(engine: Engine, wish: QuantizeWish): Promise<void> {
  const { image, input, output, type, again, signal, ...around } = wish;
  const mounts = [
    { kind: 'folder', path: dirname(input), target: '/in', readOnly: true },
    { kind: 'folder', path: dirname(output), target: '/out', readOnly: false },
  ] as const;
  await using helper = await HelperContainer.start(engine, { ...around, signal, images: [image], mounts });
  const over = new AbortController();
  const watching = watch(output, wish.onProgress, over.signal);
  try {
    await helper.run(script, [basename(input), basename(output), type, again ? 'yes' : ''], signal, {
      limit: 16 * 2 ** 20,
      user: await ownUser(engine),
    });
  } catch (error) {
    if (!(error instanceof HelperFailure)) throw error;
    throw new AixclError(
      'unexpected',
      `llama-quantize of ${image} failed to make ${type} of ${basename(input)} (exit ${error.exitCode})`,
      {
        hint: `ls -l ${shellWord(input)}`,
        evidence: error.message.split('\n').slice(-evidenceLines),
        cause: error,
      },
    );
  } finally {
    over.abort();
    await watching;
  }
}

/** In a rootless engine root stands for the user whose engine it is. */
async function ownUser(engine: Engine): Promise<string> {
  const { rootless } = await engine.info();
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return rootless ? '0:0' : `${uid}:${gid}`;
}

async function watch(path: string, tell: (written: number) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(look, undefined, { signal }).catch(() => {});
    const found = await stat(path).catch(() => undefined);
    if (found) tell(found.size);
  }
}
