import { findQuantizer, type Quantizer } from '../../../adapters/consolidation/quantizer.ts';
import type { QuantizationType } from '../../../consolidate/quantization.ts';
import { AixclError } from '../../../errors.ts';
import { nearest } from '../../../nearest.ts';
import type { Context } from '../../context.ts';

/** The image of the service llama-server, in which a merged model is tried. */
export interface ServerImage {
  readonly image: string;
  /** As Compose spells it; undefined: the image's. */
  readonly user: string | undefined;
}

/** Throws `engineUnreachable`, or `notFound` while the image is not there. */
export async function observeServer(context: Context): Promise<ServerImage> {
  const [engine, { services }] = await Promise.all([context.engine(), context.definition()]);
  const service = services.get('llama-server');
  const image = service?.image;
  if (image && (await engine.inspectImage(image))) return { image, user: service?.user };
  throw new AixclError(
    'notFound',
    `the merged model is tried in llama-server before it counts, and its image ${image ?? ''} is not here`,
    { hint: 'aixcl stack start llama-server' },
  );
}

/** What quantizes, and in which type; `wish`: undefined where it only makes F16. Throws `notFound` without an image that has the tool, `usage` for a type that it does not know. */
export async function observeQuantizer(
  context: Context,
  server: ServerImage,
  wish: string | undefined,
  why: string,
): Promise<{ readonly quantizer: Quantizer; readonly type: QuantizationType | null }> {
  const named = context.env.LLAMA_QUANTIZE_IMAGE;
  const engine = await context.engine();
  const images = named ? [named] : [server.image];
  const around = { home: context.home.root, operation: 'consolidate', signal: context.signal };
  const quantizer = await findQuantizer(engine, images, around);
  if (!quantizer) throw noQuantizer(images[0]!, server.image, named !== undefined, why);
  if (wish === undefined) return { quantizer, type: null };
  const type = quantizer.types.find(({ name }) => name === wish);
  if (type) return { quantizer, type };
  const names = quantizer.types.map(({ name }) => name);
  const meant = nearest(wish, names);
  throw new AixclError('usage', `llama-quantize of ${quantizer.image} knows no type ${wish}`, {
    hint: `${meant ? `Did you mean ${meant}? ` : ''}It knows ${names.join(', ')}`,
  });
}

function noQuantizer(image: string, server: string, isNamed: boolean, why: string): AixclError {
  const build = /^(.+):server(?:-[a-z]+)?-(b\d+)$/.exec(server);
  const full = build ? `${build[1]}:full-${build[2]}` : 'ghcr.io/ggml-org/llama.cpp:full';
  return new AixclError(
    'notFound',
    `${why}, which takes llama-quantize, and ${image} ${isNamed ? 'is not here, or ' : ''}does not hold it`,
    {
      hint: `docker pull ${full} && LLAMA_QUANTIZE_IMAGE=${full} aixcl consolidate …   (Debian's package llama.cpp-tools has it too)`,
    },
  );
}
