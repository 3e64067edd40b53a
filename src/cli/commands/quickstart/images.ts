import { builtFrom } from '../../../adapters/build-context.ts';
import { buildLocalImage, whyNotBuildable } from '../../../adapters/debian/llama-image.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import { labels } from '../../../labels.ts';
import { baseArguments } from '../../../stack/build-bases.ts';
import type { ServiceDefinition } from '../../../stack/definition/types.ts';
import type { Engine } from '../../../stack/engine.ts';
import { isLeftOut } from '../../../stack/home-overlay.ts';
import { isLocalImage, isLocallyBuilt, localLlamaImage } from '../../../stack/local-image.ts';
import type { Context } from '../../context.ts';

export interface Images {
  /** Services whose image is here. */
  readonly available: readonly string[];
  /** Services that are left out, with the reason. */
  readonly missing: readonly { readonly service: string; readonly image: string; readonly reason: string }[];
  /** Variables of the definition that now have to name `localLlamaImage`, which was made here in place of what could not be pulled. */
  readonly builtHere: readonly string[];
}

/** A registry that says nothing for so many milliseconds does not answer. */
const silenceMs = 10_000;
/** The same for a service that an earlier run had to leave out: its registry did not answer then. */
const silenceAgainMs = 3000;
/** Once it has answered, layers may take their time. */
const silenceWithinMs = 60_000;

/** What became of one service's image. */
type Got =
  | { readonly kind: 'here' }
  | { readonly kind: 'built'; readonly variable: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** Gets the services' images side by side, each by pull; where that fails, makes what Debian's packages have. */
export async function ensureImages(
  context: Context,
  services: readonly ServiceDefinition[],
): Promise<Images> {
  const engine = await context.engine();
  let made: Promise<void> | undefined;
  const local = () => (made ??= makeLocal(context, engine));
  const got = await Promise.all(
    services.map(async (service) => ({ service, image: await getImage(context, engine, service, local) })),
  );
  return {
    available: got.flatMap(({ service, image }) => (image.kind === 'missing' ? [] : service.name)),
    missing: got.flatMap(({ service, image }) =>
      image.kind === 'missing' ? { service: service.name, image: service.image, reason: image.reason } : [],
    ),
    builtHere: got.flatMap(({ image }) => (image.kind === 'built' ? image.variable : [])),
  };
}

/** What a service needs of a registry: its image, or what that is built on; and the variable that names another. */
function neededBy(
  service: ServiceDefinition,
): { readonly reference: string; readonly variable?: string } | undefined {
  if (!service.build) {
    const variable = service.name === 'llama-server' ? 'LLAMA_SERVER_IMAGE' : undefined;
    return { reference: service.image, ...(variable && { variable }) };
  }
  const [base] = baseArguments(service.build);
  return base && { reference: base[1], ...(base[0] === 'NODE_IMAGE' && { variable: base[0] }) };
}

async function getImage(
  context: Context,
  engine: Engine,
  service: ServiceDefinition,
  local: () => Promise<void>,
): Promise<Got> {
  const needed = neededBy(service);
  if (!needed || (await isHere(engine, service))) return { kind: 'here' };
  const { reference, variable } = needed;
  try {
    if (isLocallyBuilt(reference)) await local();
    else if (!(await engine.inspectImage(reference)))
      await pull(context, engine, { ...service, image: reference });
    return { kind: 'here' };
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = reasonOf(error);
    if (!variable || isLocallyBuilt(reference)) return { kind: 'missing', reason };
    const obstacle = await whyNotBuildable();
    if (obstacle) return { kind: 'missing', reason: `${reason}; and it can't be built here: ${obstacle}` };
    context.out.note(`${reason}; ${service.name} comes from Debian's packages instead.`);
    await local();
    return { kind: 'built', variable };
  }
}

/** Of what is built here: from what is there to build from now. */
async function isHere(engine: Engine, { image, build }: ServiceDefinition): Promise<boolean> {
  const found = await engine.inspectImage(image);
  return found !== undefined && (!build || found.labels[labels.built] === (await builtFrom(build)));
}

async function makeLocal(context: Context, engine: Engine): Promise<void> {
  if (!isLocalImage(await engine.inspectImage(localLlamaImage)))
    await buildHere(context, engine, localLlamaImage);
}

async function pull(context: Context, engine: Engine, service: ServiceDefinition): Promise<void> {
  const { image: reference, platform } = service;
  const patience = isLeftOut(service) ? silenceAgainMs : silenceMs;
  const task = context.progress.start(`pull ${reference}`);
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), patience);
  try {
    const signal = AbortSignal.any([silence.signal, context.signal]);
    const layers = new Map<string, { done: number; total: number }>();
    for await (const { layer, text, done, total } of engine.pullImage(reference, { platform, signal })) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceWithinMs);
      if (layer && done !== undefined && total) layers.set(layer, { done, total });
      const sum = (key: 'done' | 'total') => [...layers.values()].reduce((all, each) => all + each[key], 0);
      task.update(layers.size > 0 ? { done: sum('done'), total: sum('total'), text } : { text });
    }
    task.succeed('');
  } catch (error) {
    task.fail();
    context.signal.throwIfAborted();
    if (!silence.signal.aborted) throw error;
    throw new AixclError(
      'notFound',
      `no image registry answered for ${reference} within ${patience / 1000} s`,
      { hint: `docker pull ${reference}`, cause: error },
    );
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
