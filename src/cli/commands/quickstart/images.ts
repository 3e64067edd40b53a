import {
  buildLocalImage,
  isLocallyBuilt,
  localLlamaImage,
  whyNotBuildable,
} from '../../../adapters/debian/llama-image.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { ServiceDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import type { Context } from '../../context.ts';

export interface Images {
  /** Services whose image is here. */
  readonly available: readonly string[];
  /** Services that are left out, with the reason. */
  readonly missing: readonly { readonly service: string; readonly image: string; readonly reason: string }[];
  /** Reference of the llama-server image that was made here in place of the one that could not be pulled. */
  readonly builtHere?: string;
}

/** A registry that says nothing for so long does not answer. */
const silenceMs = 20_000;

/** Gets each service's image by pull; where that fails, makes llama-server's from Debian's packages. */
export async function ensureImages(
  context: Context,
  services: readonly ServiceDefinition[],
): Promise<Images> {
  const engine = await context.engine();
  const available: string[] = [];
  const missing: { service: string; image: string; reason: string }[] = [];
  let builtHere: string | undefined;
  for (const { name, image, build } of services) {
    context.signal.throwIfAborted();
    if (build || (await engine.inspectImage(image))) {
      available.push(name);
      continue;
    }
    try {
      if (isLocallyBuilt(image)) await buildHere(context, engine, image);
      else await pull(context, engine, image);
      available.push(name);
    } catch (error) {
      if (context.signal.aborted) throw error;
      const reason = reasonOf(error);
      const obstacle = name === 'llama-server' && !isLocallyBuilt(image) ? await whyNotBuildable() : reason;
      if (obstacle) {
        missing.push({
          service: name,
          image,
          reason: obstacle === reason ? reason : `${reason}; and it can't be built here: ${obstacle}`,
        });
        continue;
      }
      context.out.note(`${reason}; building llama-server from Debian's packages instead.`);
      if (!(await engine.inspectImage(localLlamaImage))) await buildHere(context, engine, localLlamaImage);
      builtHere = localLlamaImage;
      available.push(name);
    }
  }
  return { available, missing, ...(builtHere && { builtHere }) };
}

async function pull(context: Context, engine: Engine, reference: string): Promise<void> {
  const task = context.progress.start(`pull ${reference}`);
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const layers = new Map<string, { done: number; total: number }>();
    for await (const { layer, text, done, total } of engine.pullImage(reference, {
      signal: AbortSignal.any([silence.signal, context.signal]),
    })) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs * 6);
      if (layer && done !== undefined && total) layers.set(layer, { done, total });
      const sum = (key: 'done' | 'total') => [...layers.values()].reduce((all, each) => all + each[key], 0);
      task.update(layers.size > 0 ? { done: sum('done'), total: sum('total'), text } : { text });
    }
    task.succeed('');
  } catch (error) {
    task.fail();
    if (silence.signal.aborted)
      throw new AixclError(
        'unexpected',
        `no image registry answered for ${reference} within ${silenceMs / 1000} s`,
      );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function buildHere(context: Context, engine: Engine, reference: string): Promise<void> {
  const task = context.progress.start(`build ${reference}`);
  try {
    await buildLocalImage(engine, reference, {
      report: (text) => task.update({ text }),
      signal: context.signal,
    });
  } catch (error) {
    task.fail();
    throw error;
  }
  task.succeed('');
}
