import { setTimeout as delay } from 'node:timers/promises';
import { AixclError } from '../../errors.ts';
import type { ContainerDetail, Engine } from '../../stack/engine.ts';
import { HelperContainer, HelperFailure } from '../helper-container.ts';
import type { HelperWish } from '../helper-spec.ts';

export interface LoadWish extends Pick<HelperWish, 'home' | 'operation' | 'signal'> {
  /** With a llama-server, and curl or wget. */
  readonly image: string;
  /** Absolute path of the model. */
  readonly path: string;
  /** What it is to be called. */
  readonly name: string;
  /** It embeds text, and completes none. */
  readonly embeds: boolean;
  /** As Docker spells it; undefined: the image's. */
  readonly user: string | undefined;
}

const target = '/model.gguf';
const evidenceLines = 12;
/** Milliseconds between two looks: at first, and at most. */
const [firstLook, lastLook] = [200, 2000];

const serve = `
if [ -x /app/llama-server ]; then set -- /app/llama-server "$@"; else set -- llama-server "$@"; fi
exec "$@"`;

/** Status 0: healthy. 7: not yet. 9: the image has nothing to ask with. */
const health = `
if command -v curl >/dev/null; then
  curl -q -sf --noproxy '*' -o /dev/null --max-time 5 http://127.0.0.1:8080/health || exit 7
elif command -v wget >/dev/null; then
  http_proxy='' wget -q -T 5 -O /dev/null http://127.0.0.1:8080/health || exit 7
else exit 9
fi`;

const ask = `
if command -v curl >/dev/null; then
  exec curl -q -sS --noproxy '*' -H 'Content-Type: application/json' -d "$2" "http://127.0.0.1:8080$1"
fi
http_proxy='' exec wget -q -O - --header 'Content-Type: application/json' --post-data "$2" "http://127.0.0.1:8080$1"`;

/**
 * Loads a model in a llama-server of its own and has it answer: in a helper container without a network that sees this one file, read-only. There is
 * no time limit while llama-server lives. Throws `unhealthy` with its last lines when it ends, or answers nothing.
 */
export async function checkLoads(engine: Engine, wish: LoadWish): Promise<void> {
  const { image, path, embeds, user, signal, ...around } = wish;
  const mounts = [{ kind: 'folder', path, target, readOnly: true }] as const;
  const own = ['-m', target, '--host', '127.0.0.1', '--port', '8080', '-c', '512', '-np', '1', '--no-warmup'];
  const argv = ['sh', '-c', serve, 'sh', ...own, ...(embeds ? ['--embedding'] : [])];
  await using server = await HelperContainer.serve(
    engine,
    { ...around, signal, images: [image], mounts },
    { argv, user },
  );
  await untilHealthy(engine, server, wish);
  const question = embeds
    ? (['/embedding', { content: 'Hello' }] as const)
    : (['/completion', { prompt: 'Hello', n_predict: 4, temperature: 0, ignore_eos: true }] as const);
  const answer = await server
    .run(ask, [question[0], JSON.stringify(question[1])], signal, { user: nobody })
    .catch(async (error: unknown) => {
      if (!(error instanceof HelperFailure)) throw error;
      return error.message;
    });
  if (!answers(answer, embeds))
    throw await failed(engine, server, wish, 'loads, and answers nothing', [answer]);
}

const nobody = '65534:65534';

async function untilHealthy(engine: Engine, server: HelperContainer, wish: LoadWish): Promise<void> {
  for (let pause = firstLook; ; pause = Math.min(lastLook, pause * 1.5)) {
    const found = await engine.inspectContainer(server.id);
    if (found?.state !== 'running') {
      throw await failed(engine, server, wish, `does not load: ${endOf(found)}`, []);
    }
    const status = await statusOf(server, wish.signal);
    if (status === 0) return;
    if (status === 9) {
      throw new AixclError('notFound', `${wish.image} has neither curl nor wget to ask llama-server with`, {
        hint: 'LLAMA_SERVER_IMAGE=… names another image.',
      });
    }
    await delay(pause, undefined, { signal: wish.signal }).catch((error: unknown) => {
      throw wish.signal.reason ?? error;
    });
  }
}

/** Anything but 0 and 9, also of one that ended in between: it is looked at again. */
async function statusOf(server: HelperContainer, signal: AbortSignal): Promise<number> {
  try {
    await server.run(health, [], signal, { user: nobody });
    return 0;
  } catch (error) {
    if (error instanceof HelperFailure) return error.exitCode;
    if (error instanceof AixclError && error.code === 'unexpected') return 7;
    throw error;
  }
}

function endOf(found: ContainerDetail | undefined): string {
  if (!found) return 'its container is gone';
  return found.oomKilled
    ? 'llama-server was killed for lack of memory'
    : `llama-server ended with ${found.exitCode}`;
}

function answers(text: string, embeds: boolean): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    if (embeds) return Array.isArray(answer) && answer.length > 0;
    const { content, tokens_predicted: tokens } = answer as Record<string, unknown>;
    return typeof content === 'string' && typeof tokens === 'number' && tokens > 0;
  } catch {
    return false;
  }
}

async function failed(
  engine: Engine,
  server: HelperContainer,
  { name, image, signal }: LoadWish,
  what: string,
  last: readonly string[],
): Promise<AixclError> {
  const lines: string[] = [];
  for await (const { text } of engine.logs(server.id, { tail: evidenceLines, signal })) lines.push(text);
  return new AixclError('unhealthy', `the merged model ${what}, so ${name} is not published`, {
    hint: `Its base has to load in ${image}: aixcl models activate BASE`,
    evidence: [...lines, ...last.filter((line) => line !== '').map((line) => line.slice(0, 300))],
  });
}
