import { AixclError, reasonOf } from '../errors.ts';
import { deletedVersion } from '../vault/deleted-version.ts';
import { isDigest } from '../vault/digest.ts';
import { sameSubject } from '../vault/subject.ts';
import type { Vault, VaultWriter } from '../vault/vault.ts';
import type { Found } from './find-kept.ts';
import type { DamagedFile, KeptModel } from './keeper.ts';

export interface RepairPorts {
  readonly vault: Vault;
  /** Runs `work` with the vault's lock. */
  locked(work: (writer: VaultWriter) => Promise<void>): Promise<void>;
  /**
   * Right bytes of a damaged file from where the model came from, as a file that goes when it is disposed; null when it is not known where
   * that was. Throws when that has them no more.
   */
  fetch(model: KeptModel, damaged: DamagedFile): Promise<FetchedFile | null>;
  /** Notes in the journal what is about to be done. */
  step(target: string, because: string): Promise<void>;
}

export interface FetchedFile extends AsyncDisposable {
  readonly path: string;
}

export interface Repaired {
  readonly file: DamagedFile;
  /** Where the right bytes came from; null: it is damaged still. */
  readonly from: 'vault' | 'source' | null;
  /** Whether there were damaged bytes, that are in quarantine now; of a file that was missing there were none. */
  readonly setAside: boolean;
  /** Why it is damaged still. */
  readonly why: string;
}

/**
 * Puts right bytes in the place of damaged ones, each file for itself: from the vault, else from where the model came from. What nobody has
 * the right bytes of stays as it is. Nothing is fetched while the vault is held.
 */
export async function repairModel(
  { keeper, model }: Found,
  damaged: readonly DamagedFile[],
  ports: RepairPorts,
  signal: AbortSignal,
): Promise<Repaired[]> {
  const { vault } = ports;
  const done = new Map<DamagedFile, Repaired>();
  const mend = async (writer: VaultWriter, file: DamagedFile, fetched: string | null) => {
    const from = fetched === null ? 'vault' : 'source';
    await ports.step(`${model.subject.name} ${file.path}`, `${file.why}; right bytes from the ${from}`);
    let setAside = false;
    const told = tellingOfQuarantine(writer, () => {
      setAside = true;
    });
    await keeper.mend(model, file, { vault, writer: told, fetched, signal });
    done.set(file, { file, from, setAside, why: '' });
  };
  await ports.locked(async (writer) => {
    for (const file of damaged) {
      if (!(await hasRightBytes(writer, model, file, signal))) continue;
      await unlessDamaged(() => mend(writer, file, null));
    }
  });
  for (const file of damaged) {
    if (done.has(file)) continue;
    const why = await tryTheSource(model, file, ports, mend, signal);
    if (why !== null) done.set(file, { file, from: null, setAside: false, why });
  }
  return damaged.flatMap((file) => done.get(file) ?? []);
}

/** The same writer, that tells when it was given something to keep: who mends does not say whether there was anything. */
function tellingOfQuarantine(writer: VaultWriter, tell: () => void): VaultWriter {
  return new Proxy(writer, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (key === 'quarantine') tell();
        return value.apply(target, args);
      };
    },
  });
}

/** Why it could not be repaired; null when it was. */
async function tryTheSource(
  model: KeptModel,
  file: DamagedFile,
  ports: RepairPorts,
  mend: (writer: VaultWriter, file: DamagedFile, fetched: string) => Promise<void>,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const fetched = await ports.fetch(model, file);
    if (!fetched) return 'the vault does not have the right bytes, and nobody knows where else they are';
    try {
      await ports.locked((writer) => mend(writer, file, fetched.path));
      return null;
    } finally {
      await fetched[Symbol.asyncDispose]();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AixclError) || error.code === 'busy') throw error;
    return `the vault does not have the right bytes, and its source: ${reasonOf(error)}`;
  }
}

/** Whether the vault has what is missing, hashed now. */
async function hasRightBytes(
  writer: VaultWriter,
  model: KeptModel,
  { path, digest }: DamagedFile,
  signal: AbortSignal,
): Promise<boolean> {
  const { vault } = writer;
  const wanted = digest ?? (await savedDigest(vault, model, path));
  if (wanted === null || !isDigest(wanted)) return false;
  const blob = (await vault.blobs()).get(wanted);
  if (!blob) return false;
  return await unlessDamaged(() => writer.rehash(wanted, blob.size, { signal }));
}

/** False when the bytes that `work` was to use turned out to be wrong. */
async function unlessDamaged(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') return false;
    throw error;
  }
}

/** Of a file whose digest nobody knows, a manifest: that in the newest good snapshot of the model. */
async function savedDigest(vault: Vault, { subject }: KeptModel, path: string): Promise<string | null> {
  if (!path.startsWith('manifests/')) return null;
  const { snapshots } = await vault.contents();
  const newest = snapshots.find(
    (each) => sameSubject(each.subject, subject) && each.damage === null && !deletedVersion(each),
  );
  return newest?.files.find((file) => file.path === path)?.digest ?? null;
}
