import { Readable } from 'node:stream';
import { AixclError, reasonOf } from '../../../errors.ts';
import { manifestPath, nameFromPath, type OllamaName } from '../../../models/ollama/name.ts';
import type { BlobSource, StoreWriter } from '../../../models/ollama/store.ts';
import type { Engine } from '../../../stack/engine.ts';
import { type Digest, digestOf, hexOf } from '../../../vault/digest.ts';
import type { WorkOptions } from '../../../vault/vault.ts';
import { type HelperContainer, HelperFailure } from '../../helper-container.ts';
import { wrongBytes } from './directory-writer.ts';
import { storeFull } from './disk-errors.ts';
import { broken } from './held-blobs.ts';
import { blobPath, manifestsFolder, stagingFolder } from './layout.ts';
import { packed } from './tar.ts';

export interface HelperPlace {
  readonly engine: Engine;
  /** Running; taken away when the writer is closed. */
  readonly helper: HelperContainer;
  /** Ollama's folder `models` inside the helper. */
  readonly models: string;
  /** For people. */
  readonly place: string;
  readonly signal: AbortSignal;
}

/** What is made belongs to whoever owns the folder that it is made in. */
const shared = `
like() { chown "$(stat -c %u:%g "$1")" "$2"; }
folder() { [ -d "$1" ] || { mkdir "$1"; like "$(dirname "$1")" "$1"; sync "$1" "$(dirname "$1")"; }; }
`;

/** Says size and sha256 of what landed; where both are as they should be it gets its name, and a fresh time. */
const land = `
sync "$1"; size=$(stat -c %s "$1"); hash=$(sha256sum < "$1"); hash=\${hash%% *}
echo "$size $hash"
[ "$size $hash" = "$3 $4" ] || exit 0
like "$(dirname "$2")" "$1"; touch "$1"; sync "$1"; mv "$1" "$2"; sync "$(dirname "$2")"
echo named
`;

/** Writes Ollama's store inside a helper container: bytes by the archive API, checked, synced and named by a shell. */
export class HelperWriter implements StoreWriter {
  readonly #place: HelperPlace;
  readonly #staging: string;

  private constructor(place: HelperPlace, staging: string) {
    this.#place = place;
    this.#staging = staging;
  }

  static async open(place: HelperPlace, operation: string): Promise<HelperWriter> {
    const staging = `${place.models}/${stagingFolder}/${operation}`;
    const writer = new HelperWriter(place, staging);
    const script = `rm -rf "$1/${stagingFolder}"; folder "$1"; folder "$1/blobs"; folder "$1/manifests"; mkdir -p "$2"`;
    await writer.#run(script, [place.models, staging]);
    return writer;
  }

  async putBlob(digest: Digest, size: number, bytes: BlobSource, options: WorkOptions): Promise<boolean> {
    const path = `${this.#place.models}/${blobPath(digest)}`;
    const standing =
      'if [ -L "$1" ] || { [ -e "$1" ] && [ ! -f "$1" ]; }; then echo other; elif [ -e "$1" ]; then stat -c %s "$1"; fi';
    const found = (await this.#run(standing, [path])).trim();
    if (found !== '') {
      await this.#check(path, digest, size, found);
      return false;
    }
    await this.#put(hexOf(digest), size, await bytes.open(), options);
    const staged = `${this.#staging}/${hexOf(digest)}`;
    const landed = await this.#run(land, [staged, path, String(size), hexOf(digest)]);
    const [length, hex, named] = landed.trim().split(/\s+/);
    if (Number(length) !== size) throw wrongBytes(digest, `${length} of ${size} bytes landed`);
    if (hex !== hexOf(digest)) throw wrongBytes(digest, `what landed hashes to sha256:${hex}`);
    if (named !== 'named') throw new Error(`the helper said ${landed}`);
    return true;
  }

  async #check(path: string, digest: Digest, size: number, found: string): Promise<void> {
    if (found === 'other') throw broken(blobPath(digest), 'is no regular file');
    if (Number(found) !== size) throw broken(blobPath(digest), `has ${found} of ${size} bytes`);
    const [hex = ''] = (await this.#run('sha256sum < "$1"', [path])).split(/\s+/);
    if (hex !== hexOf(digest)) {
      throw broken(blobPath(digest), `holds other bytes: they hash to ${digestOf(hex)}`);
    }
    // A fresh time, as Ollama removes old blobs that no manifest names yet; and synced, as Ollama syncs nothing.
    await this.#run('touch "$1"; sync "$1" "$(dirname "$1")"', [path]);
  }

  async dropBlob(digest: Digest): Promise<void> {
    const path = `${this.#place.models}/${blobPath(digest)}`;
    await this.#run('rm -f "$1"; sync "$(dirname "$1")"', [path]);
  }

  async putManifest(name: OllamaName, content: Uint8Array): Promise<void> {
    const { signal } = this.#place;
    await this.#put('manifest', content.length, Readable.from([content], { objectMode: false }), { signal });
    const folders = [name.host, name.namespace, name.model];
    const script = `
staged=$1; target=$2; at=$3; shift 3
for part; do at=$at/$part; folder "$at"; done
like "$at" "$staged"; touch "$staged"; sync "$staged"; mv "$staged" "$target"; sync "$at"
`;
    const root = `${this.#place.models}/${manifestsFolder}`;
    await this.#run(script, [`${this.#staging}/manifest`, `${root}/${manifestPath(name)}`, root, ...folders]);
  }

  async dropManifest(path: string): Promise<void> {
    if (!nameFromPath(path)) throw new Error(`${path} is no manifest's path`);
    const script = `
rm -f "$1/$2"; sync "$(dirname "$1/$2")"
cd "$1"; rmdir -p "$(dirname "$2")" 2>/dev/null || :
`;
    await this.#run(script, [`${this.#place.models}/${manifestsFolder}`, path]);
  }

  async #put(name: string, size: number, bytes: Readable, options: WorkOptions): Promise<void> {
    const { engine, helper } = this.#place;
    const { signal, onProgress } = options;
    try {
      const tar = await packed({ name, size, bytes, signal, onProgress });
      await engine.writeArchive(helper.id, this.#staging, tar, { signal });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      bytes.destroy();
    }
  }

  async #run(script: string, args: readonly string[]): Promise<string> {
    try {
      return await this.#place.helper.run(shared + script, args, this.#place.signal);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** The engine and the shell say in words what a system call would say by its code. */
  #explained(error: unknown): unknown {
    const words = reasonOf(error);
    if (/no space left|disk quota exceeded/i.test(words)) return storeFull(this.#place.place, error);
    if (!(error instanceof HelperFailure)) return error;
    const refused = /read-only file system|permission denied|operation not permitted/i.test(words);
    return new AixclError(
      refused ? 'refused' : 'unexpected',
      `Ollama's store ${this.#place.place} can't be written: ${words}`,
      { hint: 'aixcl service status ollama', cause: error },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { helper, models } = this.#place;
    try {
      await helper.run('rm -rf "$1"', [`${models}/${stagingFolder}`], AbortSignal.timeout(10_000));
    } catch {
      // The next one who writes clears it.
    } finally {
      await helper[Symbol.asyncDispose]();
    }
  }
}
