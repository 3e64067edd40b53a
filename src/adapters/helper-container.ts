import { randomBytes } from 'node:crypto';
import { AixclError } from '../errors.ts';
import type { Engine } from '../stack/engine.ts';
import { claim } from './claim.ts';
import { type HelperMount, type HelperWish, helperSpec, type Program, programSpec } from './helper-spec.ts';

export interface ScriptOptions {
  /** Bytes of output that are kept: the first ones. 64 KiB when absent. */
  readonly limit?: number;
  /** As Docker spells it; root when absent. */
  readonly user?: string;
}

/**
 * A container that does for this process what it may not do itself, or reaches where it can't: as root over the mounted folders and volumes
 * alone, without a network. Disposing it takes it away; one whose command was killed is taken away by `reapHelpers`.
 */
export class HelperContainer implements AsyncDisposable {
  readonly id: string;
  readonly #engine: Engine;
  readonly #home: string;
  readonly #alive: AsyncDisposable;

  private constructor(engine: Engine, home: string, id: string, alive: AsyncDisposable) {
    this.#engine = engine;
    this.#home = home;
    this.id = id;
    this.#alive = alive;
  }

  /** Makes one that never runs: enough to read archives of its mounts. */
  static async create(engine: Engine, wish: HelperWish): Promise<HelperContainer> {
    for (const mount of wish.mounts) await assertThere(engine, mount);
    const [image] = await imagesHere(engine, wish.images);
    if (!image) throw noImage(wish);
    return HelperContainer.#make(engine, wish, image);
  }

  /** Makes one and starts it. Its image is the first that has a shell and the tools for files. */
  static async start(engine: Engine, wish: HelperWish): Promise<HelperContainer> {
    for (const mount of wish.mounts) await assertThere(engine, mount);
    for (const image of await imagesHere(engine, wish.images)) {
      const helper = await HelperContainer.#make(engine, wish, image);
      try {
        if (await helper.#hasTools(wish.signal)) return helper;
      } catch (error) {
        await helper[Symbol.asyncDispose]();
        throw error;
      }
      await helper[Symbol.asyncDispose]();
    }
    throw noImage(wish);
  }

  /** Makes one that is `program`, with no rights beside its user's; its log is kept while it is there. Its image is the first that is here. */
  static async serve(engine: Engine, wish: HelperWish, program: Program): Promise<HelperContainer> {
    const [image] = await imagesHere(engine, wish.images);
    if (!image) throw noImage(wish);
    const helper = await HelperContainer.#make(engine, wish, image, program);
    try {
      await engine.startContainer(helper.id);
      return helper;
    } catch (error) {
      await helper[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #make(
    engine: Engine,
    wish: HelperWish,
    image: string,
    program?: Program,
  ): Promise<HelperContainer> {
    wish.signal.throwIfAborted();
    const name = `aixcl-helper-${randomBytes(6).toString('hex')}`;
    const alive = await claim(claimOf(name), { what: name, holder: 'aixcl', signal: wish.signal });
    try {
      const id = await engine.createContainer(
        name,
        program ? programSpec(wish, image, program) : helperSpec(wish, image),
      );
      return new HelperContainer(engine, wish.home, id, alive);
    } catch (error) {
      await alive[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #hasTools(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#engine.startContainer(this.id);
    } catch (error) {
      // An image without `sleep`.
      if (error instanceof AixclError && error.code === 'unexpected') return false;
      throw error;
    }
    const tools = 'command -v chmod chown cp df ln mkdir mv rm sha256sum stat sync';
    const { exitCode } = await this.#engine
      .exec(this.id, ['sh', '-c', tools], { signal })
      .catch((error: unknown) => {
        if (error instanceof AixclError && error.code === 'unexpected') return { exitCode: 127 };
        throw error;
      });
    signal.throwIfAborted();
    return exitCode === 0;
  }

  /** Runs a shell script inside, with `args` as `$1`, `$2`, …; answers its output. Throws `HelperFailure` when it does not end with 0. */
  async run(
    script: string,
    args: readonly string[],
    signal: AbortSignal,
    { limit, user = '0:0' }: ScriptOptions = {},
  ): Promise<string> {
    const argv = ['sh', '-euc', script, 'sh', ...args];
    const { exitCode, output } = await this.#engine.exec(this.id, argv, {
      user,
      signal,
      ...(limit !== undefined && { limit }),
    });
    signal.throwIfAborted();
    if (exitCode !== 0) throw new HelperFailure(exitCode, output.trim());
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#engine.removeHelper(this.id, this.#home);
    } finally {
      await this.#alive[Symbol.asyncDispose]();
    }
  }
}

/** A script inside a helper failed; the message is what it printed. */
export class HelperFailure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, output: string) {
    super(output || `it ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Of the claim that whoever made a helper keeps while it lives. */
export function claimOf(name: string): string {
  return `helper ${name}`;
}

/** A volume that is not there would be made by mounting it. */
async function assertThere(engine: Engine, mount: HelperMount): Promise<void> {
  if (mount.kind !== 'volume' || (await engine.inspectVolume(mount.name))) return;
  throw new AixclError('notFound', `there is no volume ${mount.name} on this engine`, {
    hint: `To begin with a new, empty one: docker volume create ${mount.name} && aixcl stack start; then run this again`,
  });
}

async function imagesHere(engine: Engine, references: readonly string[]): Promise<string[]> {
  const found = await Promise.all(references.map((reference) => engine.inspectImage(reference)));
  return [...new Set(found.flatMap((image) => image?.id ?? []))];
}

function noImage({ images }: HelperWish): AixclError {
  return new AixclError(
    'notFound',
    `no image on this engine can help with files: ${images.join(', ') || 'none is known'}`,
    { hint: 'aixcl stack start, which brings the images' },
  );
}
