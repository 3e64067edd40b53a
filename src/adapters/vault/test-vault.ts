import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { SnapshotDraft } from '../../vault/snapshot.ts';
import type { Source, SourceFile } from '../../vault/subject.ts';
import type { TakeInOptions, Vault, VaultWriter } from '../../vault/vault.ts';
import { VaultDirectory } from './vault-directory.ts';

/** For tests: a vault and live files beside it, in a folder of their own that goes with them. */
export class TestVault implements AsyncDisposable {
  readonly root: string;
  readonly path: string;
  readonly vault: Vault;

  private constructor(root: string) {
    this.root = root;
    this.path = join(root, 'vault');
    this.vault = new VaultDirectory({ path: this.path, ownerOf: root });
  }

  /** `parent`: a folder on the file system to test. */
  static async make(parent = tmpdir()): Promise<TestVault> {
    return new TestVault(await mkdtemp(join(parent, 'aixcl-vault-')));
  }

  /** Writes a live file; answers it as something to be saved, its digest known and not proven. */
  async live(path: string, content: Uint8Array = randomBytes(5000)): Promise<LiveFile> {
    const full = join(this.root, 'live', path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    const bytes = { kind: 'file' as const, path: full };
    return { path, size: content.length, digest: hashOf(content), proven: false, bytes, full, content };
  }

  open(operation = 'test-1', patience = 0): Promise<VaultWriter> {
    const { signal } = new AbortController();
    return this.vault.open({ holder: 'aixcl test', operation, patience, signal });
  }

  /** What a blob of the vault holds. */
  read(digest: Digest): Promise<Buffer> {
    return readFile(this.vault.blobPath(digest));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

export interface LiveFile extends SourceFile {
  readonly digest: Digest;
  readonly full: string;
  readonly content: Uint8Array;
}

export function hashOf(content: Uint8Array): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}

export function options(way: 'link' | 'copy', more: Partial<TakeInOptions> = {}): TakeInOptions {
  return { way, recheck: true, signal: new AbortController().signal, ...more };
}

export function draft(name = 'tea.gguf', more: Partial<SnapshotDraft> = {}): SnapshotDraft {
  return {
    kind: 'backup',
    backupType: 'emergency',
    subject: { runtime: 'llama-server', name },
    created: new Date(Date.now() - 1000),
    reason: 'a test',
    operation: 'test-1',
    folders: [],
    facts: {},
    ...more,
  };
}

/** Takes files in and publishes a snapshot of them. */
export async function publish(
  writer: VaultWriter,
  files: readonly SourceFile[],
  what: SnapshotDraft = draft(),
  way: 'link' | 'copy' = 'copy',
) {
  const taken = [];
  for (const file of files)
    taken.push({ path: file.path, evidence: await writer.takeIn(file, options(way)) });
  return writer.publish(what, taken);
}

export function sourceOf(files: readonly SourceFile[], name = 'tea.gguf'): Source {
  return {
    subject: { runtime: 'llama-server', name },
    files,
    facts: {},
    assertUnchanged: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

export async function contentOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
