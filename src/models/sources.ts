import { type Digest, isDigest } from '../vault/digest.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Probe } from './intake.ts';
import { blobsOf } from './ollama/manifest.ts';
import { nameFromPath, type OllamaName } from './ollama/name.ts';
import type { Registry } from './ollama/registry.ts';

/** Where the bytes of a model came from, if that is known. */
export type Origin =
  /** The registry of a name; the name must stand for the same blobs there. */
  | {
      readonly kind: 'registry';
      readonly name: OllamaName;
      readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
    }
  /** An address for every file. */
  | {
      readonly kind: 'addresses';
      readonly files: readonly { readonly url: URL; readonly size: number; readonly sha256: string | null }[];
    }
  | { readonly kind: 'nowhere' };

/** `re-pullable`: every blob answered at its source, with the right size, in this run. `unique`: all else. */
export type SourceState = 're-pullable' | 'unique';

export interface SourcePorts {
  readonly registry: Pick<Registry, 'look' | 'blobSize'>;
  /** What is at an address now, asked once. Throws when nobody answers, or nothing is there. */
  probe(url: URL, signal: AbortSignal): Promise<Probe>;
}

export interface AskOptions {
  /** Milliseconds for all of them together; who has not answered then is `unique`. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** Hosts are asked side by side, each for so many things at once. */
const atOnce = 8;

/** Asks the sources of all `origins`; answers in their order. A host that failed once is not asked again. Throws for the caller's signal alone. */
export async function askSources(
  origins: readonly Origin[],
  ports: SourcePorts,
  { deadline, signal }: AskOptions,
): Promise<SourceState[]> {
  const time = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  const over = new Promise<false>((resolve) => {
    time.addEventListener('abort', () => resolve(false), { once: true });
  });
  if (time.aborted) signal.throwIfAborted();
  const hosts = new Hosts();
  const states = await Promise.all(
    origins.map(async (origin): Promise<SourceState> => {
      const answered = answersFor(origin, ports, hosts, time).catch(() => false);
      return (await Promise.race([answered, over])) ? 're-pullable' : 'unique';
    }),
  );
  signal.throwIfAborted();
  return states;
}

async function answersFor(
  origin: Origin,
  ports: SourcePorts,
  hosts: Hosts,
  signal: AbortSignal,
): Promise<boolean> {
  switch (origin.kind) {
    case 'nowhere':
      return false;
    case 'registry': {
      const { name, blobs } = origin;
      const ask = <T>(run: () => Promise<T>) => hosts.ask(name.host, signal, run);
      const remote = await ask(async () => {
        const found = await ports.registry.look(name, { signal });
        if (found.kind === 'unreachable') throw new Error(found.why);
        return found;
      });
      if (remote.kind !== 'found') return false;
      const there = new Map(blobsOf(remote.manifest).map(({ digest, size }) => [digest, size]));
      if (there.size !== new Set(blobs.map(({ digest }) => digest)).size) return false;
      if (!blobs.every(({ digest, size }) => there.get(digest) === size)) return false;
      return await all(blobs, async ({ digest, size }) => {
        return (await ask(() => ports.registry.blobSize(name, digest, { signal }))) === size;
      });
    }
    case 'addresses':
      return (
        origin.files.length > 0 &&
        (await all(origin.files, async ({ url, size, sha256 }) => {
          const probe = await hosts.ask(url.host, signal, () => ports.probe(url, signal));
          return probe.size === size && (!probe.sha256 || !sha256 || probe.sha256 === sha256);
        }))
      );
  }
}

async function all<T>(items: readonly T[], check: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(check))).every(Boolean);
}

class Hosts {
  readonly #lines = new Map<string, { running: number; failed: unknown; waiting: (() => void)[] }>();

  async ask<T>(host: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(host) ?? { running: 0, failed: undefined, waiting: [] };
    this.#lines.set(host, line);
    if (line.running >= atOnce) await new Promise<void>((resolve) => line.waiting.push(resolve));
    line.running++;
    try {
      signal.throwIfAborted();
      if (line.failed !== undefined) throw line.failed;
      return await run();
    } catch (error) {
      line.failed ??= error;
      throw error;
    } finally {
      line.running--;
      line.waiting.shift()?.();
    }
  }
}

/** Where the bytes of a saved model can be had again, as far as the snapshot tells: its name, or the `origins` among its facts. */
export function originOfSnapshot({
  subject,
  files,
  facts,
}: Pick<Snapshot, 'subject' | 'facts'> & {
  readonly files: readonly { readonly path: string; readonly size: number; readonly digest: Digest | null }[];
}): Origin {
  if (subject.runtime === 'ollama') {
    const manifest = files.find(({ path }) => path.startsWith('manifests/'));
    const name = manifest && nameFromPath(manifest.path.slice('manifests/'.length));
    if (!name) return { kind: 'nowhere' };
    const blobs = files.filter(({ path }) => path.startsWith('blobs/'));
    const known = blobs.flatMap(({ digest, size }) => (digest === null ? [] : [{ digest, size }]));
    return known.length === blobs.length ? { kind: 'registry', name, blobs: known } : { kind: 'nowhere' };
  }
  if (subject.runtime === 'volume') return { kind: 'nowhere' };
  const origins = (facts.origins ?? {}) as Readonly<
    Record<string, { readonly source?: unknown } | undefined>
  >;
  return addresses(
    files.map(({ path, size, digest }) => ({ source: origins[path]?.source, size, sha256: digest })),
  );
}

/** As far as every file has an address. `sha256` with or without `sha256:`. */
export function addresses(
  files: readonly { readonly source: unknown; readonly size: number; readonly sha256: string | null }[],
): Origin {
  const found = files.map(({ source, size, sha256 }) =>
    typeof source === 'string' && /^https?:/.test(source) && URL.canParse(source)
      ? { url: new URL(source), size, sha256: hex(sha256) }
      : undefined,
  );
  if (found.length === 0 || found.some((file) => file === undefined)) return { kind: 'nowhere' };
  return { kind: 'addresses', files: found.filter((file) => file !== undefined) };
}

function hex(digest: string | null): string | null {
  if (digest === null) return null;
  return isDigest(digest) ? digest.slice('sha256:'.length) : digest;
}
